"""The words of danger: which wording points at which category, and which frames take the danger out of it.

All patterns run on folded, spelling-corrected words joined by single spaces. `W` stands for a few words between.
No pattern nests repetition, so that matching stays linear.
"""

import re
from dataclasses import dataclass
from typing import Literal

Category = Literal[
    "alarm",
    "withdrawal",
    "overdose",
    "missed_refill_symptoms",
    "infection_or_leak",
    "breathing",
    "self_harm",
    "pump_trauma",
]


@dataclass(frozen=True)
class Sign:
    """`stands_alone`: neither a question around it nor a negation before it takes the danger away."""

    category: Category
    triggers: frozenset[str]  # without one of these words the pattern cannot match: most texts stop here
    pattern: re.Pattern[str]
    stands_alone: bool = False


def any_of(words: str) -> frozenset[str]:
    return frozenset(words.replace("|", " ").split()) - {"and", "up", "high", "things", "todo"}


def wording(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern.replace('W', W)})\b")


W = r"(?: \w+){0,3}"
_SOUND = (
    "alarm|alarms|alarming|alarmed|beep|beeps|beeped|beeping|beepy|buzz|buzzes|buzzed|buzzing|chirp|chirps|chirped|"
    "chirping|siren|ding|dinging|bip|bips|bleep|bleeps|bleeping|alarma|alarmas|pita|pitan|pitando|pitido|pitidos|"
    "zumba|zumbando"
)
_PART = "wound|incision|incisions|scar|stitches|suture|sutures|pocket|pump site|surgical site|implant site|dressing"
_BAD = (
    "leak|leaks|leaking|leaked|pus|ooze|oozing|oozes|infected|infection|red|redness|swollen|swelling|draining|"
    "drainage|discharge|fluid|smells|smelly|stinks|opened|open|opening|hot|bleeding|bleeds|weeping|burst"
)
_NOISE = "noise|noises|sound|sounds|tone|tones"
_BLOW = (
    "fell|fall|falls|falling|hit|hits|kicked|kick|punched|punch|bumped|banged|slammed|landed|smashed|crushed|stabbed"
)
_TARGET = "pump|stomach|belly|tummy|abdomen|side"

_DRUG = "baclofen|medicine|medication|meds|drug"
_PILLS = r"pills?|tablets?|tabs|capsules?|baclofens?(?! (?:pump|trial|test))"
_DOSED = "took|taken|gave|given|swallowed"
# Three pills and more, or any dose twice, unless it is what somebody takes every day.
_TOO_MUCH = (
    rf"(?:{_DOSED})W (?:(?:[3-9]|\d\d+|three|four|five|six|seven|eight|nine|ten|twelve|twenty|dozen|handful|bunch|"
    rf"bottle) (?:(?:of|more|extra|oral|my|his|her|the|baclofen|\d+ ?mg) ){{0,3}}(?:{_PILLS}|doses)|"
    rf"(?:two|2|both) (?:(?:of|my|his|her|oral|baclofen) ){{0,3}}doses|"
    rf"(?:double|twice|triple|extra) (?:(?:of|the|my|his|her|oral|baclofen) ){{0,3}}(?:{_PILLS}|dos(?:e|es|age)|"
    rf"{_DRUG})|(?:{_PILLS}|dose|{_DRUG}) (?:twice|(?:by|on) (?:mistake|accident)))"
    rf"(?!W (?:as (?:usual|prescribed|normal|always|told|directed)|like (?:usual|always|normal)|"
    rf"(?:a|per|every|each) day|daily)\b)"
)
_VERY = "super|so|very|really|too|extremely|incredibly|unusually"
_DROWSY = "sleepy|drowsy|floppy|limp|groggy|lethargic|out of it"
_KIN = "he|she|mom|mum|mother|dad|father|husband|wife|son|daughter|brother|sister|baby|child|kid"
_AMBULANCE = r"(?:ambulance|paramedics|ambulancia)(?! (?:ride|transport\w*|bill|card))"
_EMPTY = (
    rf"pump (?:is |has |must be |might be |)(?:empty|ran out|run out|ran dry|run dry|dry)|out of (?:{_DRUG})W pump|"
    rf"pumpW (?:is|ran|has run) out of (?:{_DRUG})|bomba (?:esta )?vacia"
)

SYMPTOM = (
    "itching|itchy|itch|itches|itchiness|scratching|twitching|twitchy|twitch|twitches|tingling|tingly|"
    "pins and needles|fever|feverish|burning up|high temperature|high temp|delirious|hallucinating|seeing things|"
    "shaking|shivering|shaky|sweating|sweaty|racing heart|heart racing|picazon|comezon|pica todo|fiebre|calentura|"
    "hormigueo|temblando|confundido|confundida"
)
STIFFNESS = (
    "stiff|stiffer|stiffness|stiffening|stiffened|rigid|spasm|spasms|spasming|spastic|tight|tighter|tightness|"
    "locked up|locking up|cramping|rigido|rigida|rigidas|tieso|tiesa|espasmos"
)
LATE_REFILL = wording(
    r"(?:missed|skipped|forgot)W (?:refill|fill)|(?:refill|fill)W (?:overdue|late|missed|past due)|overdue (?:for|"
    r"on)W refill|(?:refill|fill) (?:was|wuz) (?:due|supposed|last|yesterday|monday|tuesday|wednesday|thursday|friday|"
    r"\w+day|tues|weds|thurs|on|days|weeks|a week|two)|(?:never|didnt|did not) (?:get|got|make|go)W (?:refill|fill)|"
    r"late for W?refill|"
    rf"{_EMPTY}|(?:ran|run|im|i am|hes|he is|shes|she is|we are) out of (?:{_DRUG})|"
    r"past (?:my|his|her|the|our) refill|overdue refill|no refill (?:yet|since)|(?:perdi|falte|perdio|"
    r"olvide)W recarga|(?:me|le) paso la recarga|recargaW (?:atrasada|vencida|paso)"
)

ALARM_SIGN = Sign("alarm", any_of(_SOUND), wording(_SOUND))
SYMPTOM_SIGN = Sign("withdrawal", any_of(SYMPTOM), wording(SYMPTOM))
# Everyday stiffness belongs to spasticity; it is a sign only with an onset (urgent.py asks for one).
_UNWELL = "funny|weird|off|strange|awful|terrible"
_GARMENT = "jeans|pants|clothes|clothing|belt|belts|dress|shirt|shorts|fit|schedule|waistband|top|bra|shoes"
_RETURNED = "(?:is|are|came|come|coming|have come|has come) (?:all |right )?back|returned"
STIFF_SIGN = Sign(
    "withdrawal",
    any_of(f"{STIFFNESS}|{_UNWELL}|spasticity"),
    wording(
        rf"spasticity (?:{_RETURNED})|(?:{STIFFNESS})(?! (?:{_GARMENT}))|feel(?:s|ing)? (?:so |very |really |"
        rf"kinda )?(?:{_UNWELL})"
    ),
)
SIGNS: tuple[Sign, ...] = (
    Sign(
        "self_harm",
        any_of(
            "kill|killing|end|ending|die|dead|live|alive|here|wake|hurt|hurting|harm|harming|cut|cutting|life|kms|"
            "suicidal|suicide|better|matar|morir|morirme|morirse|vivir|viviendo|matarme|suicidarme|suicidio|vida|dano|puedo|quitar|quitarse|quitarme|quitenme|quiteme|quiten|dormirme|duerma|dormir|sleep"
        ),
        wording(
            r"kill (?:myself|himself|herself)|killing myself|end (?:my|his|her) life|end(?:ing)? it all|(?:going to|"
            r"gonna|want to|wanna) end it|(?:want|wants|wanna|wanted|ready|wish i could|rather) (?:to )?die(?! (?:of|"
            r"from) (?:laugh\w*|curiosity|embarr\w*))|wish (?:i|he|she) (?:was|were) dead|better off (?:dead|"
            r"without me)|(?:dont|do not|doesnt) (?:want|wanna) (?:to )?(?:live|be alive|be here anymore|"
            r"wake up anymore)|(?:hurt|hurting|harm|harming|cut|cutting) myself|(?:take|taking) my own life|"
            r"take my life|no reason to live|kms|(?<!not )(?:suicidal|suicide)|quiero morir|quiero morirme|"
            r"me quiero (?:morir|matar)|quiere morir|quiere morirse|no quiero (?:vivir|seguir viviendo)|matarme|"
            r"suicidarme|suicidio|quitar(?:me|se)? la vida|ya no puedo mas(?! (?:con|de)\b)|"
            r"quit(?:enme|eme|en) (?:la vida|de sufrir|esta vida)|"
            r"(?:dormirme|duerma|dormir) y (?:no|nunca) (?:despertar|despierte|despertarme)|"
            r"go to sleep and (?:not|never) wake|hacerme dano"
        ),
        stands_alone=True,
    ),
    Sign(
        "breathing",
        any_of(
            "swallow|swallowing|throat|tragar|breathe|breath|breathing|air|blue|gasping|choking|respirar|respira|"
            "respirando|aire|ahogo|ahoga"
        ),
        wording(
            rf"(?:cant|cannot|can not|couldnt|can barely|can hardly|barely|hardly|unable to|trouble|difficulty|"
            rf"hard time|problems) (?:swallow|swallowing)(?! (?:\w+ )?(?:{_PILLS}|it|them)\b)|"
            r"throat (?:is |)(?:closing|swelling)|no pued[eo] tragar|(?:cant|cannot|can not|couldnt|can barely|"
            r"can hardly|barely|hardly|unable to) (?:breathe|breath|breathing)|cant (?:get|catch)W (?:breath|air)|"
            r"(?:not|isnt|aint|stopped|stops|quit) breathing|aint breathing|(?:trouble|difficulty|difficulties|"
            r"hard time|problem|problems|struggling|struggles|hard|harder|hurts)W (?:breathe|breath|breathing)|"
            r"(?:breath|breathing)W (?:slow|slowly|shallow|funny|weird|hard|bad|strange|heavy)|(?:slow|slowed|shallow|"
            r"weird) breathing|short(?:ness)? of breath|gasping|choking|lips (?:are |look |turning |is |r |)blue|"
            r"blue lips|turn(?:ing|ed) blue|no puedo respirar|no puede respirar|no respira|no esta respirando|"
            r"(?:cuesta|dificil|dificultad para|trabajo) respirar|respira (?:mal|lento|poco)|falta (?:el |de |)aire|"
            r"me ahogo|se ahoga"
        ),
    ),
    Sign(
        "overdose",
        any_of(
            "wake|waking|woken|rouse|rousing|awake|asleep|drifting|respond|passed|passing|unconscious|unresponsive|"
            "responsive|responding|blacked|blacking|blacks|fainted|fainting|faint|answer|answering|react|reacting|"
            "lethargic|groggy|out|dormido|dormida|adormilado|adormilada|somnoliento|somnolienta|collapsed|despierta|"
            "despiertan|despertar|despertarlo|despertarla|responde|reacciona|inconsciente|desmayo|desmaye|desmayado|"
            "desmayada|nods|nodding|slurring|slurred|sleepy|drowsy|floppy|limp"
        ),
        wording(
            r"(?:cant|cannot|can not|couldnt|could not|wont|will not|doesnt|does not|not|hard to|difficult to|barely|"
            r"unable to) (?:wake|waking|be woken|rouse|stay awake)|(?:hard|difficult) (?:waking|rousing)|"
            r"cant keepW awake|passed out|passing out|unconscious|(?:cant|cannot|couldnt)W get (?:him|her|them|me|"
            r"my \w+|\w+) to (?:wake|respond)|(?:keeps?|keep on) (?:falling|drifting) (?:asleep|off)|"
            r"falling asleep mid|unresponsive|"
            rf"not responding|(?:isnt|not) responsive|black(?:ed|ing|s) out|fainted|fainting|feel(?:s|ing)? faint|"
            rf"collapsed|(?:{_KIN}) (?:just |still )?(?:wont|doesnt|isnt|is not|not) (?:answer|answering|react|"
            rf"reacting|respond)W (?:me|us)|muy (?:dormid|adormilad|somnolient)[oa]|"
            r"no (?:se |me |lo |la |)(?:despierta|despiertan|despertar|puedo despertar\w*)|no (?:responde|reacciona)|"
            r"inconsciente|(?:se |me |)desmay(?:o|e|ado|ada)|nod(?:s|ding) off|slurring|slurred speech|"
            # Why many left the pills: what those did is no news.
            rf"(?<!pills made me )(?<!pills make me )(?<!mouth made me )(?:{_VERY}) (?:{_DROWSY})|(?:^|is|are|hes|"
            rf"shes|im|feels|looks|seems|gone|went|going) (?:(?:{_VERY}|all|completely|totally|just) )?(?:floppy|limp)"
        ),
    ),
    Sign(
        "overdose",
        any_of(
            f"overdose|overdosed|overdosing|overdoses|od|oded|sobredosis|over|much|many|{_DOSED}|dosed|tome|tomo|di|dio"
        ),
        wording(
            rf"{_TOO_MUCH}|double dosed|(?:tome|se tomo|le di|me dio|le dio)W (?:[3-9]|\d\d+|doble|muchas|"
            rf"demasiad[oa]s?)W "
            r"(?:pastillas|baclofeno|dosis)|overdose|overdosed|overdosing|overdoses|od|oded|sobredosis|over dose|"
            r"over dosed|gave (?:me|him|her)W too much|(?:took|taken|takes) (?:\w+ )?too (?:much|many)|"
            r"got too much (?:baclofen|medicine|drug)"
        ),
    ),
    Sign(
        "withdrawal",
        any_of("seizure|seizures|seizing|convulsing|convulsions|convulsion|convulsiones|fit"),
        wording(r"seizure|seizures|seizing|convulsing|convulsions|convulsion|convulsiones|having a fit"),
    ),
    ALARM_SIGN,
    Sign(
        "alarm",
        any_of(f"{_NOISE}|suena"),
        wording(
            rf"pumpW (?:making|makes|made)W (?:{_NOISE})|(?:two|2) tones?|bombaW suena|hear(?:d|ing)?(?: (?:a|the|"
            rf"some|weird|strange|my|his|her|pump|loud)){{0,2}} tones?|(?:{_NOISE})W every (?:\d+|few|couple|half|"
            rf"hour|minute|two|three|five|ten)|(?:{_NOISE})(?: (?:is|was|thats|keeps))?(?: coming)? (?:from|inside|in|"
            rf"out of) (?:\w+ )?(?:{_TARGET}|body|me|him|her)"
        ),
    ),
    Sign("missed_refill_symptoms", any_of("empty|out|dry|vacia"), wording(_EMPTY)),
    Sign(
        "withdrawal",
        any_of("withdrawal|withdrawals|withdraw|withdrawing|withdrawn|abstinencia"),
        wording(r"withdrawal|withdrawals|withdraw|withdrawing|withdrawn|abstinencia"),
    ),
    SYMPTOM_SIGN,
    Sign(
        "withdrawal",
        any_of("pressure|bp|presion"),
        wording(
            r"(?:blood pressure|bp)(?: (?:is|was|keeps|has|just|started|went|suddenly)){0,2} (?:dropping|dropped|"
            r"drops|falling|fell|crashing|crashed|plummeting|tanking|tanked|spiking|spiked|(?:so|very|really|too|"
            r"super|dangerously) (?:low|high))|(?:dropping|falling|crashing|spiking) (?:blood pressure|bp)|"
            r"presionW (?:bajando|cayendo|muy baja)"
        ),
    ),
    Sign(
        "withdrawal",
        any_of("confused"),
        wording(
            r"(?:hes|shes|is|acting|seems|seem|getting|suddenly|really|very|so) (?:\w+ )?confused(?! (?:about|by|on|"
            r"with))"
        ),
    ),
    STIFF_SIGN,
    Sign(
        "infection_or_leak",
        any_of(f"{_BAD}|coming|dripping|herida|stuff|gunk|liquid|wet|damp|soaked|mojada|liquido"),
        wording(
            rf"(?:{_PART})W (?:{_BAD})|(?:{_BAD})W (?:{_PART})|(?:spinal|clear|csf) fluidW (?:leak|leaking|leaks|"
            rf"coming|dripping|out)|(?:leaking|leak|leaks|dripping)W (?:spinal|clear|csf)|fluid (?:leaking|coming)|"
            rf"(?:clear|spinal|csf|watery) (?:fluid|liquid|stuff)W (?:pillow|sheets?|bed|shirt|back|neck|nose|"
            rf"bandage)|(?:back|spine|bandage|catheter|pillow|{_PART}) (?:is|are|feels|keeps getting|stays)(?: (?:all|"
            rf"{_VERY}|always|still))? (?:wet|damp|soaked)(?! (?:from|with|after)W (?:pool|swim\w*|shower|bath|"
            rf"sweat\w*|rain))|wet (?:spot|patch)W (?:back|bandage|pillow|shirt|catheter|{_PART})|(?:espalda|"
            rf"almohada)W mojada|liquido (?:claro|transparente)|leaking (?:from|at|around|out)|(?:yellow|green|"
            rf"smelly) (?:stuff|fluid|discharge|gunk)|pus|heridaW (?:supura|supurando|pus|roja|hinchada|abierta|"
            rf"infectada|liquido|sangra)|(?:supura|infectada|hinchada|roja|pus|liquido)W herida"
        ),
    ),
    Sign(
        "pump_trauma",
        any_of(
            f"{_BLOW}|hit|kicked|punched|bumped|banged|crash|accident|wreck|over|pump|cai|cayo|golpee|golpeo|"
            f"golpe|bomba|choque|accidente"
        ),
        wording(
            rf"(?:{_BLOW})(?: \w+){{0,5}} (?:{_TARGET})|(?:{_TARGET})W (?:got|was|been) (?:hit|kicked|punched|bumped|"
            rf"banged)|(?:car|bike|motorcycle) (?:crash|accident|wreck)|got run over|fell (?:hard|down|off|out|on)|"
            rf"pump (?:has |just |is |have |)(?:stopped(?! (?:hurting|bothering|aching|being))|stop|stops|quit|died|"
            rf"dead|broke|broken|failed|failing|not working|moved|(?:fell|went|gone|gotten|got) (?:silent|quiet|dead)|"
            rf"flipped|turned over|stalled|sticking out|coming out|came out)|pump (?:isnt|not|doesnt|wont) (?:working|"
            rf"work)|(?:me |se )(?:cai|cayo|golpee|golpeo)W (?:bomba|barriga|estomago|abdomen)|golpe\wW bomba|"
            rf"bomba (?:se paro|dejo|no funciona|se detuvo|parada)|choque de (?:auto|carro|coche)|"
            rf"accidente de (?:auto|carro|coche)"
        ),
    ),
    # Said in so many words, with no sign named: the words for it send to the emergency number first.
    Sign(
        "withdrawal",
        any_of("emergency|emergencia|urgent|urgente|911|sos|help|ambulance|paramedics|ambulancia"),
        wording(
            rf"^{_AMBULANCE}|(?:need|needs|send|get|call|calling|called|want|necesito|necesita|manden?|llamen?|"
            rf"pidan?)W {_AMBULANCE}|"
            r"^(?:emergency|urgent|911|sos|emergencia|urgente)(?: (?:please|help|now|call me|por favor))*$|(?:this is|"
            r"its|it is|having|have|es|tengo) (?:an |a |real |una )*(?:emergency|emergencia)(?! (?:card|plan|kit|"
            r"contact|number|question))|(?:need|send|get) (?:urgent help|help (?:now|asap|fast|right now))"
        ),
    ),
)

_SEVERE = "severe|violent|terrible|horrible|awful|extreme|intense|uncontrollable|unbearable|(?:really|very|so) bad"
# An onset, a comparison or a force that turns everyday stiffness into news.
ONSET = wording(
    r"now|right now|today|tonight|tonite|suddenly|sudden|all of a sudden|since|overnight|this (?:morning|evening|"
    r"afternoon|am|pm)|last (?:night|nite)|yesterday|worse|worsening|getting (?:worse|stiffer|tighter|more|so|really|"
    r"very)|again|than (?:usual|normal|ever)|started|keeps?|"
    rf"all (?:day|night)|(?:{STIFFNESS}|spasticity) (?:{_RETURNED})|(?:had|after) (?:\w+ )?mri|feels? (?:so |"
    rf"very )?(?:hot|dizzy|sick)|(?:{_SEVERE}) (?:{STIFFNESS})|espasmos (?:muy )?(?:fuertes|severos|horribles|"
    rf"terribles)|(?:{_UNWELL}|hot|sick|dizzy|clammy)(?: ,| and){{1,2}} (?:(?:{_VERY}) )?(?:{STIFFNESS})|"
    rf"(?:{STIFFNESS})(?: ,| and){{1,2}} (?:(?:{_VERY}) )?(?:{_UNWELL}|hot|sick|dizzy|clammy)|"
    r"ahora|hoy|desde|anoche|de repente|peor|esta manana|esta noche|mas que"
)
# Said of something that goes on as the text is written: beats any question around it.
NOW = wording(
    r"every (?:\d+|few|hour|minute|couple|day|night)|(?:im|i am|hes|he is|shes|she is) (?:\w+ )?(?:itchy|itching|"
    r"twitching|twitchy|feverish|shaking|shivering)|now|right now|again|today|tonight|tonite|this (?:morning|evening|"
    r"afternoon|am|pm)|last (?:night|nite)|yesterday|wont (?:stop|quit|shut up)|doesnt stop|not stopping|(?:just|has|"
    r"have) started|(?:just|already) (?:went|had|heard|woke)|all (?:day|night|morning)|nonstop|non stop|keeps|"
    r"for (?:an|a|\d+|two|three|four) (?:hours?|days?|minutes?|mins?|hrs?)|(?:hours|days|minutes|mins) ago|ahora|"
    r"ahorita|hoy|anoche|desde (?:ayer|anoche|hace)|no para|sigue|otra vez"
)
# What somebody says of a person or a pump before them. Beats "what", "why", "is", but not "if".
CLAIM = wording(
    r"puede (?:que sea|ser)|"
    # A clause of its own after the question: told, not asked.
    rf"(?:what|wat) (?:should|shud|do|can) (?:i|we|u|you) do (?:my|his|her|our|im|ive|i|hes|shes|{_KIN}|its|it|theres|"
    rf"the pump|the alarm)|(?:my|his|her) pump (?:is |keeps |started |just )?(?:making|made)|why isW making|(?:i|he|"
    rf"she|we|they|ive|\w+s|{_KIN}) (?:just |accidentally |have |has )?{_TOO_MUCH}|(?:i|he|she|we|they|"
    rf"{_KIN}) (?:just |accidentally |have |has )?(?:took|taken) too (?:much|many)|(?<!when )(?:do|should) (?:i|"
    rf"we) (?:need|call|get)W {_AMBULANCE}|can (?:you|u|someone) (?:send|call|get)W {_AMBULANCE}|is (?:it|this|"
    rf"that) normal(?: \w+){{0,5}} (?:beep|beeping|alarm|buzz|buzzing|chirp|chirping)|what(?:s| is) (?:that|"
    rf"this) (?:\w+ )?(?:beeping|beep|alarm|buzzing|chirping)|(?:im|i am|ive|hes|he is|shes|she is|theyre|were|am i|"
    rf"is (?:he|she)|i think|i feel|feeling|i have|i got|i had|he has|she has|having|he had|she had|started|got|"
    rf"going (?:into|through)|gone into|went into)W (?:{SYMPTOM}|withdrawal|withdrawing|withdrawals|overdosing|"
    rf"overdosed|overdose|seizure|seizures|fever|{_DROWSY})|(?:my|his|her|our|the|this|moms|mums|dads|sons|daughters|"
    rf"wifes|husbands) (?:\w+ )?(?:is|was|has been|been|keeps|started|starts|just|went|are|s) (?:\w+ )?(?:alarming|"
    rf"alarmed|beeping|beeped|buzzing|chirping|bleeping|itching|itchy|twitching|twitchy|stiff|leaking|burning|"
    rf"confused|going off)|(?:is|its|it is|it was|been|something|somethings|hear|heard|hearing)W (?:alarming|beeping|"
    rf"buzzing|chirping|bleeping)|is (?:my|his|her|the|our|this|that|it)W (?:alarming|beeping|buzzing|chirping|"
    rf"bleeping|an overdose|withdrawal|leaking)|(?:is|could|can|might) (?:this|that) (?:be )?(?:a |an )?(?:withdrawal|"
    rf"overdose|alarm|infection|seizure)|alarm (?:is|was|just|keeps)? ?(?:going|went|goes) off|(?:my|his|"
    rf"her) (?:pump )?alarm (?:is|just|keeps|went|wont|started)|why (?:is|does|do)W (?:beeping|beep|alarming|alarm|"
    rf"buzzing|chirping)|esta (?:pitando|sonando|zumbando)|por que (?:pita|suena)|(?:tengo|tiene|estoy en|esta en|"
    rf"esta con)W (?:fiebre|picazon|abstinencia|convulsiones|sobredosis)"
)
# Openers of a question, and frames of learning rather than suffering.
ASKING = re.compile(
    r"^(?:(?:hi|hello|hey|please|pls|so|um|ok|and|also|but|just|quick|question|hola|doctor|nurse|hi there|"
    r"good morning) )*(?:what|whats|wat|wats|wut|how|hows|does|do|did|dose|can|could|will|would|wud|should|shud|is|"
    r"are|r|why|which|who|where|may|might|tell me|explain|describe|early warning|signs of|first signs|symptoms of|"
    r"list of|difference|(?:when|wen) (?:does|do|will|would|should|is|are|can|could|might|to|the alarm)|tips|info|"
    r"information|que|cual|cuales|como|cuando|puede|pueden|puedo|debo|es (?:normal|posible|comun|peligros[oa]|mal[oa]|"
    r"segur[oa]))\b|\b(?:just (?:asking|curious|wondering)|curious|wondering|want to know|like to know|need to know|"
    r"how (?:would|do) i know|what (?:does|do|would|if|is|are|should)|what happens|worry about|afraid of|scared of|"
    r"risks? of|prevent\w*|avoid\w*|chance of|difference|side effects?|instructions|explain|talked about|read about|"
    r"heard about|learn about|teach|signs to|que (?:pasa|hago|significa)|quiero saber)\b"
)
# A case imagined: with one of these only NOW makes it real.
IMAGINED = wording(
    r"if|whether|in case|ever|would|could|might|will|one day|someday|(?<!is )(?<!it )supposed to|before i|que (?:pasa|"
    r"hago|hacer) si|en caso"
)
LEARNING = wording(
    r"just (?:asking|curious|wondering)|asking for a friend|(?:a|my|an) (?:paper|essay|school report)|for (?:school|"
    r"class|a class|a paper)|solo (?:pregunto|curiosidad)"
)
LONG_PAST = wording(
    r"years ago|year ago|months ago|in (?:19|20)\d\d|last (?:year|summer|winter|spring|fall|month)|back in|when i was|"
    r"hace (?:anos|meses|un ano)|el ano pasado|used to"
)
# Alarms and beeps that no pump makes.
ELSEWHERE = wording(
    r"(?:smoke|fire|burglar|car|house|phone|door|home|tornado|fire drill|drill|security|co|carbon monoxide|store|"
    r"wake up) (?:alarm|alarms|detector|detectors)(?: (?:is|was|keeps|has been|wont stop) (?:beeping|chirping|"
    r"buzzing))?|alarm (?:clock|clocks|date|dates|on my phone|for (?:my|the) (?:appointment|appt)|system)|"
    r"alarm for \d+|(?:set|setting|sets|snooze|snoozed)(?! off)W alarm|smoke detector|microwaveW (?:beeping|beep|"
    r"beeps)|(?:oven|dishwasher|dryer|fridge|phone|truck|car|monitor|door|watch) (?:is |keeps |was )?(?:beeping|beeps|"
    r"beeped|buzzing|buzzed|buzzes)|alarma (?:de incendios?|de humo|del reloj|del coche|del carro|despertador)|"
    r"bed alarm|chair alarm|(?:bed|fall) alarms?|withdraw (?:money|cash|from the (?:trial|study|bank))|"
    r"withdrawal from (?:the|my) bank|bank withdrawal|withdrawW consent"
)
_FILLER = (
    rf"(?:,|any|more|{_SEVERE}|very|signs?|of|or|and|nor|new|real|bad|high|other|pump|symptoms?|single|weird|much|un|"
    rf"una|ninguna|ningun|mas|tengo|tiene|hay|{_SOUND}|{SYMPTOM}|{STIFFNESS}|seizures?|withdrawal|overdose|infection|"
    rf"redness|swelling|leaking|leak|wound|incision|infected|red)"
)
_VERB_FILLER = (
    rf"(?:{_FILLER}|a|an|the|had|have|having|been|hear|heard|hearing|feel|feeling|felt|ever|really|currently|in|"
    rf"at all|see|seen)"
)
# Nothing but words that carry a negation along may stand between it and the sign.
NEGATED = re.compile(
    rf"(?:\b(?:no|zero|without|sin) (?!,)(?:{_FILLER} ){{0,8}}|\b(?:not|isnt|arent|aint|wasnt|never|havent|hasnt|"
    rf"hadnt|didnt|doesnt|dont|didn|doesn) (?:{_VERB_FILLER} ){{0,8}})$"
)
NEGATED_AFTER = re.compile(
    r"^(?:is not|isnt|has not|hasnt|have not|havent|did not|didnt|never|not|was not|wasnt) (?:going off|gone off|"
    r"go off|went off|on|sounding|ringing|beeping|sounded|leaking|red|infected)\b"
)
STILL_UNCHECKED = wording(r"anymore|any more|stopped|quit|went quiet|gone quiet|quiet now|silent|cant (?:hear|tell)")
