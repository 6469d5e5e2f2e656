"""What a text asks us to do, other than answer a question: stop, confirm, move a visit, reach a person."""

import re
from dataclasses import dataclass
from typing import Literal

from faq.context import Context
from faq.languages import languages
from faq.spelling import SlipIndex, fold, words_of

IntentName = Literal[
    "confirm",
    "reschedule",
    "cancel_appointment",
    "when_is_my_refill",
    "running_late",
    "opt_out",
    "opt_in",
    "help",
    "human",
    "thanks",
    "wrong_number",
    "change_language",
    "menu",
    "more",
    "yes",  # to a question of ours that is answered by 1 or 2
    "no",
]


@dataclass(frozen=True)
class Intent:
    """`formal`: one of the single words on which Twilio opts a person out by itself, whatever we do.

    `guessed`: an opt-out word only after mending a slip, so that a keyword as near as that comes first.
    """

    name: IntentName
    words: str
    formal: bool = False
    guessed: bool = False


# On these Twilio acts by itself when they are the whole message (messaging-rules, section 1).
CARRIER_OPT_OUT = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
OPT_OUT_WORDS = CARRIER_OPT_OUT | {"arret", "arrete", "alto", "basta", "parar", "baja", "remove", "cancelar"}
_OPT_OUT_SLIPS = frozenset(
    {"sotp", "stpo", "tsop", "stopp", "sstop", "sttop", "stoop", "stip", "stio", "atop", "cancle"}
)
_LONG_OPT_OUT = SlipIndex(sorted(word for word in OPT_OUT_WORDS if len(word) > 5))
_POLITE = frozenset(
    {"please", "pls", "plz", "plse", "now", "ok", "okay", "thanks", "thank", "you", "thx", "por", "favor", "gracias"}
    | {"hi", "hello", "hey", "just", "yes", "text", "and", "i", "said", "ya", "me", "sir", "maam"}
)
# Words that carriers, the reminder or the menu give a meaning of their own: no topic may have them as a keyword.
RESERVED = frozenset(
    word.upper()
    for word in OPT_OUT_WORDS
    | {"start", "yes", "unstop", "help", "info", "no", "menu", "more", "nurse", "english", "espanol", "spanish", "ok"}
    | {"confirm", "ayuda", "mas", "si", "one", "two", "thanks", "gracias", "human", "person", "topics", "list"}
)

_MESSAGES = (
    r"(?:texts?|txts?|msgs?|messages?|messaging|texting|txting|texing|reminders?|sms|mensajes?|textos?|"
    r"notifications?)"
)
_ANY = r"(?: \w+){0,3}"
_LANGUAGES = f"(?:{'|'.join(sorted(name for known in languages().values() for name in known.also_called))})"


def _rule(name: IntentName, pattern: str) -> tuple[IntentName, re.Pattern[str]]:
    words = {"MESSAGES": _MESSAGES, "ANY": _ANY, "LANGUAGES": _LANGUAGES}
    for word, meant in words.items():
        pattern = pattern.replace(word, meant)
    return name, re.compile(pattern)


_OPT_OUT = re.compile(
    (
        r"\bstop (?:with |sending |all |these |those |the |getting |receiving |your |it with )*(?:me |us |my phone )?"
        r"(?:any |more |these |the |your )*MESSAGES\b|\bstop (?:messag\w+|contacting|bothering|harassing|"
        r"spamming|sending me|"
        r"writing)\b|\bunsubscribe(?: me| us| my number)?\b|\bopt(?:ing)? (?:me )?out\b|\bopt out\b|"
        r"\b(?:take|remove|delete|get) (?:me|us|my (?:\w+ )?number|this number|my name)ANY (?:off|from|out)\b|"
        r"\bremove (?:me|my number|this number)\b|\bno (?:more|mas|longer) (?:\w+ )?(?:MESSAGES|recordatorios)\b|"
        r"\b(?:dont|do not|never|quit|cease|no longer|please no) (?:you |ever |want (?:to )?(?:get |receive |"
        r"you to |any |these |"
        r"your |more |the )*|send (?:me |us )?(?:any |more |these )*|wanna (?:get |receive )?(?:any |these )?)?"
        r"(?:MESSAGES|text|txt|message|contact)(?: (?:me|us|this|my|again|anymore|any more|here|from|please)\b|$)|"
        r"\b(?:dont|do not) (?:want|need) (?:\w+ ){0,4}(?:MESSAGES)\b|\brevoke (?:my )?consent\b|"
        r"\bwithdraw (?:my )?consent\b|"
        r"\bcancel (?:my |the |these |all )?(?:MESSAGES|subscription|texting)\b|\bend (?:the |these |"
        r"all )?MESSAGES\b|"
        r"\bleave me alone\b|\blose (?:my|this) number\b|\bnot interested in MESSAGES\b|"
        r"\bno (?:quiero|deseo)ANY MESSAGES\b|\bno me (?:escriban|escribas|manden|mandes|envien|envies|molesten)\b|"
        r"\b(?:dejen|deje|deja|paren) de (?:escribir\w*|mandar\w*|enviar\w*|molestar\w*)\b|\bdar(?:me)? de baja\b|"
        r"\bquit(?:enme|arme|eme)\b(?! (?:la vida|de sufrir|esta vida))|\bquita mi numero\b|"
        r"\bparen los MESSAGES\b|\bbasta de MESSAGES\b"
    )
    .replace("MESSAGES", _MESSAGES)
    .replace("ANY", _ANY)
)
_OPT_IN = re.compile(
    rf"^(?:start|unstop|restart|subscribe|resume|optin|opt in)$|\b(?:resume|restart|start) (?:the |my |"
    rf"sending )*{_MESSAGES}\b|"
    r"\bopt (?:me )?(?:back )?in\b|\bsign me (?:back )?up\b|\btext me again\b|\bresubscribe\b|\bsubscribe me\b|"
    r"\breanudar\b"
)

_VISIT = (
    r"(?:appointments?|appts?|apts?|apointment|appoinment|appointmnt|visits?|refills?|refil|fill|time|slot|cita|"
    r"booking)"
)
_RULES: tuple[tuple[IntentName, re.Pattern[str]], ...] = (
    _rule(
        "wrong_number",
        r"\bwrong (?:number|person|phone|num)\b|\b(?:dont|do not) know (?:who|any) (?:this|you|\w+ by)\b|"
        r"\bnot (?:my|his|her) number\b|"
        r"\bwho(?: is|s) this\b|\bnumero equivocado\b|\bse equivoco de numero\b|\byou have the wrong\b|"
        r"\bthis isnt (?:him|her|\w+s phone)\b|"
        r"\bi (?:dont|do not) have a (?:\w+ )?pump\b",
    ),
    _rule(
        "running_late",
        r"\b(?:running|gonna be|going to be|will be|ill be|be|im|i am|"
        r"were) (?!too )(?:\w+ )?(?:\w+ )?late\b(?! (?:for|"
        r"on) (?:my|his|her|the) refill)"
        r"(?!r)|\bstuck in traffic\b|\b(?:\d+|ten|fifteen|twenty) min\w* late\b|\b(?:voy|llego|"
        r"llegare) (?:a llegar )?tarde\b|"
        r"\bon my way\b|\bbus is late\b|\bride is late\b",
    ),
    _rule(
        "reschedule",
        rf"\b(?:cant|cannot|can not|wont|unable to|not able to|not gonna|couldnt|"
        rf"wont be able to) (?:be able to )?(?:make|come|attend|be there|get there|do(?= (?:that (?:day|time)|"
        rf"\w+day|tomorrow)))\b"
        rf"(?: (?:it|in|to|on|at|my|the|that|this|tomorrow|today|monday|tuesday|wednesday|thursday|friday|"
        rf"{_VISIT})\b|$)|"
        rf"\bre ?sched\w*|\breshed\w*|\bresced\w*|\b(?:move|change|switch|swap|push|shift|rebook|postpone|"
        rf"delay)ANY {_VISIT}\b|\bpostpone\b|"
        r"\b(?:another|different|new|other|better|later|earlier) (?:day|date|time|appointment|appt|slot)\b|"
        r"\bneed to change (?:the |my )?(?:day|date|time)\b|"
        rf"\bno (?:puedo|podre|podemos) (?:ir|llegar|asistir|venir)\b|\b(?:cambiar|mover|reprogramar)ANY (?:cita|"
        rf"fecha|dia|recarga)\b|\botr[oa] (?:dia|fecha|cita)\b",
    ),
    _rule(
        "cancel_appointment",
        rf"\b(?:cancel|cancle|canceling|cancelling|cancelar|cancele|call off)ANY (?:{_VISIT}|my|it|tomorrow|"
        rf"today|for|the|mi|la)\b|\bcancel for\b",
    ),
    _rule(
        "when_is_my_refill",
        rf"\b(?:when|wen|whens|what (?:day|time|date)|wat (?:day|time)) (?:is|s|am i|do i|does|was|are|"
        rf"r)?ANY ?(?:my|his|her|our|moms|mums|dads|sons|daughters|next) "
        rf"(?:\w+ )?{_VISIT}\b|\bwhen (?:am i|is he|is she|are we) (?:due|scheduled|booked|supposed to come)\b|"
        rf"\bwhat time (?:do i|is it|am i|should i)ANY (?:come|appointment|appt|tomorrow|today|there)\b|"
        rf"\bdo i have an? (?:\w+ )?{_VISIT}\b|\bdate of my (?:next )?{_VISIT}\b|\bcuando (?:es|tengo|toca|"
        rf"me toca)ANY (?:cita|recarga|relleno)\b|"
        rf"\b(?:check|confirm|forgot|know|remind me of) (?:when |what time )?(?:my|his|"
        rf"her) (?:\w+ )?{_VISIT}(?: (?:date|time|is))\b|\bque dia es mi (?:cita|recarga)\b|"
        rf"\ba que hora es mi cita\b",
    ),
    _rule(
        "human",
        r"\b(?:talk|speak|spk|chat) (?:to|with|2) (?:a |an |the |my |some )?(?:real |actual |live )?(?:human|"
        r"person|nurse|someone(?! else)|somebody(?! else)|doctor|dr|one of)\b|"
        r"\b(?:real|live|actual) (?:person|human|nurse)\b|\b(?:call|phone|ring) me\b|\bhave (?:someone|a nurse|"
        r"the nurse|somebody|the doctor) (?:\w+ )?(?:call|ring|text|phone)\b|"
        r"\b(?:can|could|would) (?:someone|a nurse|the nurse|somebody|you) (?:please |pls )?(?:call|ring|"
        r"phone)\b|\bneed (?:a|the|to see a|to talk to a) (?:nurse|human|person)\b|"
        r"\b(?:are you|is this) (?:a )?(?:robot|bot|real|computer)\b|\bhablar con (?:una? |la |el |alguien)?\w*|"
        r"\bquiero una? (?:persona|enfermera)\b|\bllam(?:eme|enme|ame)\b|"
        r"^(?:nurse|human|person|agent|operator|representative|enfermera|persona)$",
    ),
    _rule(
        "change_language",
        r"\b(?:in|to|en|al) LANGUAGES\b|^(?:\w+ )?LANGUAGES(?: \w+)?$|\b(?:speak|habla|hablan|hablo) LANGUAGES\b|"
        r"\bLANGUAGES (?:please|pls|por favor)\b|\bno (?:speak|hablo) LANGUAGES\b",
    ),
)
_WHOLE: dict[str, IntentName] = {
    **dict.fromkeys(("help", "info", "ayuda", "help please", "information"), "help"),
    **dict.fromkeys(
        ("menu", "topics", "list", "show menu", "the menu", "main menu", "temas", "options list", "index"), "menu"
    ),
    **dict.fromkeys(
        (
            *("more", "mas", "tell me more", "more info", "more please", "send more", "show more", "more info please"),
            *("more details", "more information", "i want to know more", "go on", "continue", "keep going", "mor"),
            *("dime mas", "digame mas", "cuenteme mas", "cuentame mas", "quiero saber mas", "quiero leer mas"),
            *("mas detalles", "mas informacion", "mas info", "mas por favor", "siga", "sigue", "continue por favor"),
            *("mass", "masss", "maas", "maz"),
        ),
        "more",
    ),
    **dict.fromkeys(
        ("ok", "okay", "k", "kk", "okey", "vale", "ok thanks", "ok thank you", "ok ty", "alright", "got it"), "thanks"
    ),
    **dict.fromkeys(
        ("great", "perfect", "cool", "nice", "awesome", "good to know", "ok got it", "will do", "ok cool"), "thanks"
    ),
    **dict.fromkeys(
        ("cheers", "ty", "tysm", "thx", "thnx", "tnx", "thanx", "bless you", "god bless", "ok gracias"), "thanks"
    ),
}
_THANKING = re.compile(r"\b(?:thanks?|thanku|thankyou|thx|thnx|tks|ty|tysm|gracias|appreciate|grateful|cheers)\b")
_PLEASE = frozenset({"please", "pls", "plz"})
_THANKS_LENGTH = 8  # words; a longer text thanks for something and asks for something else
_THUMBS = re.compile("[👍👌🙏❤♥😊🙂😀😁🤗🥰✅💯👏]")

_YES = re.compile(
    r"^(?:y|ya|k)(?: (?:please|thanks|thank you|gracias|por favor))?$|"  # "y donde es" is Spanish for "and"
    r"^(?:1|one|won|uno|yes|yess|yesss|yep|yup|yeah|yea|ok|okay|kk|sure|si|sip|claro|confirm|confirmed|"
    r"confirmo|confirming|"
    r"confirmado|correct|absolutely|definitely|of course|affirmative|vale|perfect|great|good|fine|cool|alright|"
    r"works|roger|10 4)\b(?! (?:but|cant|problem|question))|"
    r"\b(?:ill|i will|well|we will|he will|hell|she will|shell|gonna|going to) be there\b|\bsee (?:you|u|ya|"
    r"yall)\b|\bsounds (?:good|great|fine)\b|"
    r"\b(?:works|good) for (?:me|us)\b|\bcount me in\b|\bi(?:ll| will| can) (?:come|make it|attend)\b|"
    r"\bill come\b|\bplan(?:ning)? (?:to be|on being) there\b|\bthat works\b|"
    r"\b(?:ahi|alli) (?:estare|estaremos|nos vemos)\b|\bnos vemos\b|\ballá estare\b|\besta bien\b|\b(?:confirm|"
    r"confirmed|confirmo)\b"
)
_NOT_YES = re.compile(
    r"\b(?:cant|cannot|wont|not|dont|unable|instead|reschedul\w*|change|move|another|different|later|no puedo|"
    r"cancel|but|pero|luego|despues|no(?! (?:problem|worries|prob|hay problema))|2|two|if|unless|except|what|when|how|"
    r"why|where)\b"
)
_CHANGE = re.compile(
    r"^(?:2|two|too|dos|change|cambio|cambiar|no|nope|nah|cant|no puedo|n)$|\b(?:cant|cannot|can not|wont|"
    r"unable)\b(?! wait)|\bno (?:puedo|podre)\b|"
    r"\b(?:does not|doesnt|wont|not) work\b|\bnot (?:good|coming|free|available)\b|\bi(?:m| am) (?:busy|away|"
    r"sick|out of town|working)\b|^(?:2|two|dos)\b"
)
_IMAGINED = re.compile(r"(?:what|wat|wut|whats|que) (?:if|happens|would|pasa)\b")
_ABOUT_A_VISIT = frozenset({"reschedule", "cancel_appointment", "running_late"})
_STOP_ONLY = re.compile(
    r"^(?:stop|quit|end|alto|basta|parar|pare|paren)(?: (?:it|this|that|all|everything|todo|esto|ya|right))*$"
)


def intent(text: str, context: Context | None = None) -> Intent | None:
    """Return the one thing asked for, in the order that keeps people safe: opt-out, what was asked, the rest."""
    context = context or Context()
    words = words_of(fold(text))
    line = " ".join(words)
    if found := opt_out(text):
        return found
    if context.asked == "confirm" and (found := reply_to_reminder(text, line)):
        return found
    return whole_wish(text, line) or wish_in_words(line)


def opt_out(text: str) -> Intent | None:
    """Return an opt-out, said in a carrier's word or in the person's own."""
    words = words_of(fold(text))
    line = " ".join(words)
    if text.strip().lower() in CARRIER_OPT_OUT:
        return Intent("opt_out", line, formal=True)
    core = [word for word in words if word not in _POLITE]
    if not core:
        return None
    if all(word in OPT_OUT_WORDS or word in _OPT_OUT_SLIPS for word in core) and len(set(core)) <= 2:
        return Intent("opt_out", line)
    if core in (["opt", "out"], ["stop", "all"], ["un", "subscribe"]) or _STOP_ONLY.match(" ".join(core)):
        return Intent("opt_out", line)
    if len(core) == 1 and _LONG_OPT_OUT.near(core[0]):
        return Intent("opt_out", line, guessed=True)
    if found := _OPT_OUT.search(line):
        return Intent("opt_out", found.group().strip())
    return None


def may_refuse(line: str) -> bool:
    """Whether words of refusal or doubt stand in the text: whatever else it says, it is no plain yes."""
    return _NOT_YES.search(line) is not None


def reply_to_reminder(text: str, line: str) -> Intent | None:
    """Return whether a text says yes to a visit we asked about, or wants it changed."""
    if _CHANGE.search(line):
        return Intent("reschedule", line)
    if _YES.search(line) and not _NOT_YES.search(line):
        return Intent("confirm", line)
    if not line and _THUMBS.search(text):
        return Intent("confirm", text.strip()[:8])
    return None


def whole_wish(text: str, line: str) -> Intent | None:
    """Return what a text asks for that is nothing but a known word or two, or a thumb up."""
    if not line:
        return Intent("thanks", text.strip()[:8]) if _THUMBS.search(text) else None
    name = _WHOLE.get(line) or _WHOLE.get(" ".join(word for word in line.split() if word not in _PLEASE))
    return Intent(name, line) if name else None


def wish_in_words(line: str) -> Intent | None:
    """Return what a longer text asks for, in words that a rule knows."""
    if found := _OPT_IN.search(line):
        return Intent("opt_in", found.group())
    imagined = _IMAGINED.match(line) is not None
    for name, pattern in _RULES:
        if not (imagined and name in _ABOUT_A_VISIT) and (found := pattern.search(line)):
            return Intent(name, found.group().strip())
    if _THANKING.search(line) and line.count(" ") < _THANKS_LENGTH:
        return Intent("thanks", line)
    return None
