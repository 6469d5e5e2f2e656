"""Urgent wording heard from people who tried the line; kept apart from the table that was thought of first."""

from faq.signs import Sign, any_of, wording

HEARD: tuple[Sign, ...] = (
    Sign(
        "overdose",
        any_of("responding|respond|floppy"),
        wording(r"(?:isnt|is not|not|wont|doesnt|stopped) respond(?:ing)?|floppy"),
    ),
    Sign(
        "withdrawal",
        any_of("tight|stiff|move|confused|racing"),
        wording(
            r"so (?:tight|stiff) (?:that )?(?:i|he|she|they|we) cant \w+|^(?:help |please )*i cant move|"
            r"confused and (?:hot|feverish|burning)|heart (?:is |keeps |was )?racing"
        ),
    ),
    Sign(
        "pump_trauma",
        any_of("catheter"),
        wording(r"catheter (?:is |has |was |got )?(?:broke|broken|out|snapped|cracked)"),
    ),
    Sign(
        "infection_or_leak",
        any_of("redness|pus|smells|smell"),
        wording(r"(?:redness|pus|smell|smells)(?: \w+)? (?:over|on|around|near) (?:my |the |his |her )?pump"),
    ),
    Sign(
        "missed_refill_symptoms",
        any_of("baclofen|medicine|drug"),
        wording(
            r"(?:no|no more) (?:baclofen|medicine|drug) left|ran out of (?:baclofen|medicine)(?! (?:pills|tablets))"
        ),
    ),
)
