"""English or Spanish, for a text of a few words."""

from faq.context import Language
from faq.spelling import fold, words_of

# Words of one language that are no words of the other; accents are folded away before comparing.
_SPANISH = frozenset(
    words_of(
        """
    abstinencia abrazo adios agua ahora alarma algo alguien aqui ayer ayuda ayudame bano basta bien bomba buenas bueno
    buenos cada calor cambiar cambio cancelar casa cita citas clinica como con confirmo cosa cuando cuanto cuesta cual
    cuales cuidado dame dar de debe debo dejar dejen del desde despierta despues dia dias dice digo doctora dolor
    donde
    dos dura ella ellos en enfermera enfermero es esa ese eso espanol esta estan estar este esto estoy favor fiebre
    fue
    funciona gracias ha haber habla hablar hace hacer hacia hago hasta hay hermana hermano herida hija hijo hola
    hospital hoy la las le les llamar llame llevo lo los madre mal manana mandar mas me medicamento medico mejor
    mensajes mi mis
    mucha mucho muy nada necesito ni ninguna ningun noche nos nuestro numero otra otro padre para parar paren pero
    perdi
    perdon piel piernas pita pitando pitido poco porque por puede pueden puedo pues que quien quiere quiero recarga
    reemplazar relleno respira respirar rigido sabe se sea senal senales ser si siempre siento sin sintomas sobre
    sobredosis solo son soy su suena sus tal tambien tarde tener tengo tiene tienen toda todo todos tomar trabajo
    tu un
    una usar usted va vamos ver vez viajar vida vivir voy ya yo pasa paso hice tuve estaba ir playa avion viaje
    banarme
    """
    )
)
_ENGLISH = frozenset(
    words_of(
        """
    a about after again alarm all am an and any appointment are as ask at back bath battery be because been beep
    beeping
    before but by call can cant come could day days did do does doing dont drive drug english fever fly for from
    get go
    going got had has have he help her here hes him his how i if im in info is isnt it its just know last like long
    make
    may menu more morning my need nurse of off on one or our out please pls pump refill reschedule right send shall
    she
    should so some still stop take tell test text than thank thanks that the their them then there they this time to
    today tomorrow travel two u up want was wasnt water we were what when where which while who why will with wont
    would
    yes you your
    """
    )
)


def detect(text: str, preferred: Language | None = None) -> Language:
    """Return the language of the text; `preferred` (or English) where the words do not tell."""
    folded = fold(text)
    words = words_of(folded)
    spanish = sum(word in _SPANISH for word in words)
    english = sum(word in _ENGLISH for word in words)
    if any(mark in text for mark in "¿¡ñÑ"):
        spanish += 2
    if spanish == english:
        return preferred or "en"
    if abs(spanish - english) == 1 and preferred is not None and min(spanish, english) > 0:
        return preferred
    return "es" if spanish > english else "en"
