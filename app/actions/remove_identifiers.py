"""Take out of a text what could tell who wrote it. Pure: the names to take out are an argument.

What a pattern can find is taken out or makes the text unfit to share. A name in small letters that stands in no record
is found by neither: whoever reviews the texts reads each.
"""

import re
import unicodedata
from collections.abc import Iterable

from faq.spelling import LONGEST_TEXT, fold

NAME, NUMBER, DATE, PLACE, LINK, MAIL = "NAME", "NUMBER", "DATE", "ADDRESS", "LINK", "EMAIL"
SHORTEST_NAME = 3
_PUT_IN = frozenset(mark.lower() for mark in (NAME, NUMBER, DATE, PLACE, LINK, MAIL))

_LETTERS = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ-][^\W\d_]+)*")
# beside a carer's or a nurse's name in a record, and no name
TITLES = frozenset(("nurse", "doctor", "doctora", "dra", "mrs", "miss", "sra", "srta", "the", "and", "demo", "clinic"))
_NO_ACCENT = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "þ": "th"}
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?|enero|ene|febrero|marzo|abril|abr|mayo|junio|julio|agosto|ago|septiembre|octubre|"
    r"noviembre|diciembre|dic)\b\.?"
)
_YEAR = r"(?:,?\s*(?:(?:of|de|del)\s+)?(?:19|20)\d\d\b|\s*,\s*\d\d\b)"
# a street's own words: not those of "2 weeks ago my dr" or "on the road"
_STREET_WORD = (
    r"(?!(?:a|an|the|my|your|his|her|our|its|i|im|it|is|are|was|has|he|she|we|they|of|in|on|at|to|for|from|with|and|or|"
    r"but|so|by|per|this|that|last|next|day|days|week|weeks|month|months|year|years|yrs|hours?|hrs?|min|mins|"
    r"minutes|time|times|ago|am|pm|mg|ml|mcg|more|than|pills?|tablets?|miles?|blocks?|feet|long|short|till|until|since|before|after|no|"
    r"one|every|some|any|what|which)\b)[^\W\d_][\w.'’-]*"
)
_STREET = (
    r"(?:street|str|st|avenue|ave|av|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|way|place|pl|terrace|"
    r"circle|cir|highway|hwy|parkway|pkwy|trail|square|sq)\b\.?"
)
_UNIT = r"(?:\s*,?\s*(?:apt|apartment|apto|unit|suite|ste|depto|lot|no|#)\.?\s*#?\s*\w{0,2}\d\w*)?"
_CITY = r"(?:\s*,?\s*[^\W\d_]+(?:\s[^\W\d_]+)?\s*,?\s+[a-z]{2}\.?\s+\d{5}(?:-\d{4})?)?"
_FRACTION = r"(?!(?:1/[234]|2/3|3/4|24/7|\d/10|10/10)(?![\d/]))"  # half a pill, all day, a pain of 8 in 10

_TAKEN_OUT = tuple(
    (re.compile(pattern, re.IGNORECASE), mark)
    for pattern, mark in (
        (r"[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+", MAIL),
        (
            r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io|ly|info|health|biz)\b(?:/\S*)?",
            LINK,
        ),
        (r"\b[\w-]+\.[a-z]{2,}/\S+", LINK),
        (r"(?<!\d)\d{1,4}\s?[/.-]\s?\d{1,2}\s?[/.-]\s?\d{2,4}(?!\d)", DATE),
        (rf"\b\d{{1,2}}(?:st|nd|rd|th|o)?[\s-]*(?:(?:of|de)\s+)?{_MONTH}{_YEAR}?", DATE),
        (rf"\b{_MONTH}\s+(?:(?:of|de|del)\s+)?(?:19|20)\d\d\b", DATE),
        (rf"\b{_MONTH}\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?\b{_YEAR}?", DATE),
        (rf"(?<![\d/.]){_FRACTION}(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|[12]\d|3[01])(?![\d/])", DATE),
        (rf"\b\d{{1,6}}[a-z]?\s+(?:{_STREET_WORD}\s+){{1,3}}?{_STREET}{_UNIT}{_CITY}", PLACE),
        (rf"\b(?<=on )(?:{_STREET_WORD}\s+){{1,2}}(?:street|avenue|road|lane|boulevard|blvd|ave|ln|rd)\b", PLACE),
        (rf"\b(?<=at )(?:{_STREET_WORD}\s+){{1,2}}(?:street|avenue|road|lane|boulevard|blvd|ave|ln|rd)\b", PLACE),
        (
            r"\b(?:calle|avenida|avda?|av|carrera|colonia|paseo|callejon|callejón)\b\.?\s+(?:[^\W\d_][\w.'’-]*\s+){0,4}?"
            r"(?:#|no\.?|num\.?|numero|número)?\s*\d+[a-z]?\b",
            PLACE,
        ),
        (
            r"\b(?:apt|apartment|apto|apartamento|unit|suite|ste|depto|p\.?\s?o\.?\s+box)\b\.?\s*#?\s*\w{0,2}\d\w*",
            PLACE,
        ),
        (r"(?<!\d)[+(]{0,2}\d(?:[\s().+/–-]{0,3}\d){6,}", NUMBER),
        (r"\d{3,}", NUMBER),
    )
)
_GLUED = re.compile(rf"(?<=[^\W\d_])(?={NUMBER})|(?<={NUMBER})(?=[^\W\d_])")
_TWICE = re.compile(rf"\b({NAME}|{NUMBER})(?:[ -]+\1\b)+")

_DIGIT_WORD = (
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)"
)
# What makes a text unfit to share, whatever was taken out before. Of folded text.
_STILL = tuple(
    re.compile(pattern)
    for pattern in (
        r"\d{3}|\d(?:[\s().,/-]{0,3}\d){4}",
        r"@|http|www|\b(?:gmail|hotmail|yahoo|outlook|icloud|facebook|instagram)\b",
        r"\b(?:dot (?:com|net|org)|punto com)\b",
        rf"(?:\b{_DIGIT_WORD}\b[\s,-]*){{5}}",
        r"\b(?:dob|date of birth|birthda(?:y|te)|born|fecha de nacimiento|naci|nacido|nacida|cumpleanos)\b.{0,20}\d",
        r"\b(?:ssn|social security|mrn|record|policy|account|member|passport|licen[cs]e)\b.{0,12}\w*\d",
        r"\b(?!b12\b|[tlcs]\d{1,2}\b)[a-z]{1,4}-?\d{2}[a-z\d]*\b|\b[a-z]*\d+[a-z]+\d+\w*",
        r"\b(?:my name|my names|name is|me llamo|mi nombre es|se llama)\b(?! name\b)\s+\w+",
        r"\b(?:mr|mrs|sra|srta)\b\.?\s+(?!name\b)[a-z]+",
    )
)
# A word here is a name unless it is one of those that the answers use.
_BY_PLACE = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:dr|dra)\b\.?\s+((?!\w+(?:ed|ing)\b)[a-z]+)",
        r"\bthis is ([a-z]+)(?=\s*,|\s+(?:from|calling|texting|again|here)\b)|\bsoy ([a-z]+)",
        r"(?:(?:^|\s)[-~–—]\s*|\b(?:thanks|thank you|thx|regards|gracias|saludos|love)[,.!]*\s+)([a-z]+)\W*$",
        r"^\W*([a-z]+) (?:here|aqui)\b",
    )
)
_SENTENCE_STARTS = re.compile(r"(?:^|[.!?…:;\"“(])\W*$")
_COMMON = """
    im ive id ill ok okay mom mum dad god tv mama papa monday tuesday wednesday thursday friday saturday sunday lunes
    martes miercoles jueves viernes sabado domingo christmas thanksgiving easter english spanish espanol hi hello hey
    hola please thanks gracias again all so much everyone guys maam sir said says say told tells called calls call wants
    wanted gave gives did does put sent set went just now today yesterday still not really very too getting going
    anyone anybody been about urgent nothing something anything everything weird bad worse better good great fine
    hard hurting beeping el la lo los las un una me mi su que no si muy mas ya dijo dice paciente patient
"""


def name_words(names: Iterable[str | None]) -> frozenset[str]:
    """Return every word of these names that has three letters or more, folded; Anne-Marie whole and in its parts."""
    found = set()
    for name in names:
        for part in _key(_plain(name or "")).split():
            words = _LETTERS.findall(part)
            found |= {"".join(words), *words}
    return frozenset(word for word in found if len(word) >= SHORTEST_NAME)


def without_identifiers(text: str, names: frozenset[str]) -> str:
    """Return the text on one line with NAME, NUMBER, DATE, ADDRESS, EMAIL or LINK in the place of what identifies."""
    text = _plain(text)
    for pattern, mark in _TAKEN_OUT:
        text = pattern.sub(mark, text)
    text = _GLUED.sub(" ", text)
    text = _WORD.sub(lambda found: _name_hidden(found[0], names), text)
    return _TWICE.sub(r"\1", " ".join(text.split()))


def still_identifies(cleaned: str, known: frozenset[str]) -> bool:
    """Whether something that looks like an identifier is left. `known`: folded words that are nobody's name."""
    folded = fold(cleaned)
    if len(cleaned) > LONGEST_TEXT or any(pattern.search(folded) for pattern in _STILL):
        return True
    nobody = known | _PUT_IN | frozenset(_COMMON.split())
    by_place = (word for pattern in _BY_PLACE for found in pattern.finditer(folded) for word in found.groups() if word)
    by_capital = (
        fold(found[0])
        for found in _LETTERS.finditer(cleaned)
        if found[0].istitle() and len(found[0]) > 1 and not _SENTENCE_STARTS.search(cleaned[: found.start()])
    )
    return any(word not in nobody for word in (*by_place, *by_capital))


def says_anything(cleaned: str) -> bool:
    """Whether a word is left beside what was put in the place of identifiers."""
    return any(word not in _PUT_IN for word in _LETTERS.findall(fold(cleaned)))


def _plain(text: str) -> str:
    """One form for each character, none that cannot be seen: a zero-width space in a number hides nothing."""
    same = unicodedata.normalize("NFKC", text)
    return "".join(" " if c in "\n\r\t" else c for c in same if c in "\n\r\t" or unicodedata.category(c)[0] != "C")


def _name_hidden(word: str, names: frozenset[str]) -> str:
    if _is_name("".join(_LETTERS.findall(word)), names):
        return NAME
    return _LETTERS.sub(lambda found: NAME if _is_name(found[0], names) else found[0], word)


def _is_name(word: str, names: frozenset[str]) -> bool:
    key = _key(word)
    return key in names or (key.endswith("s") and key[:-1] in names)  # Marias pump


def _key(words: str) -> str:
    return fold(words).translate(_NO_ACCENT)
