import pytest

from faq.library import Library
from faq.urgent import late_refill, urgent_sign

URGENT = {
    "alarm": """
        ALARM
        alarm
        ALARM please
        ALRAM
        alrm
        AL4RM
        ALAAAARM!!!
        ALARM ALARM
        pump alarm 🚨🚨
        my pump is beeping
        My pump’s alarm is going off
        my pumps alarming
        its beeping
        it's beeping
        it’s beeping
        MY PUMP IS BEEPING!!!!!!
        beeeeeping
        beepin
        the pump keeps beeping
        what do i do my pump is beeping
        why is my pump beeping
        why does my pump keep beeping
        whats that beeping
        is it normal for the pump to beep
        does anyone know why the pump beeps every hour
        beep beep every hour
        i hear a chirping from my belly
        theres a beeping noise coming from my sons stomach
        two tones coming from the pump
        pump making weird noise
        his pump is buzzing
        it wont stop beeping
        the alarm hasnt stopped since 3am
        no one answers and the alarm is on
        no, my pump is beeping
        dont know why its beeping
        im not sure but i think the pump is alarming
        the alarm went quiet by itself, dont hear it anymore
        alarm went off last night but stopped
        every time i bend it beeps
        when i lie down the pump beeps
        hay una alarma
        si, la alarma
        he slept through the alarm on his pump
        stop the alarm
        please stop the beeping
        STOP my pump is beeping
        pump is beeping and also can I move my appointment
        is it the smoke alarm or is my pump beeping
        la alarma esta sonando
        esta pitando la bomba
        por que pita mi bomba
        alarma
        la maquina hace bip bip
        pump sound every 10 minutes
        what should i do my pump beeps
        what should i do my pump is making a noise
        theres a tone coming from my belly
        theres a noise inside my stomach
        why is my pump making a sound
        i hear a tone
    """,
    "withdrawal": """
        my legs are so tight I can't walk
        help i cant move
        confused and hot
        my heart is racing
        EMERGENCY
        this is an emergency
        911
        need help now
        es una emergencia
        WITHDRAWAL
        withdrawl
        Withdrawal??
        i think hes in withdrawal
        is this withdrawal
        do i have withdrawal
        I am having withdrawal symptoms
        ITCHING
        itching all over now
        really itchy today
        i cant stop twitching
        fever now
        she has a temp of 103 and is twitching
        Is it withdrawal if im itching
        legs stiff as a board since this morning
        his legs went stiff as planks overnight
        my spasms are way worse since yesterday
        she had a seizure
        my daughter had a seizure this morning
        abstinencia
        tengo fiebre y picazon
        tiene mucha comezon desde ayer
        blood pressure dropping
        bp crashing
        had an mri and my spasms are back
        the spasms came back
        severe spasms
        really bad spasms
        i feel so weird and hot and stiff
        need ambulance
        send an ambulance
        should i call an ambulance
        necesito una ambulancia
    """,
    "overdose": """
        dad isn't responding
        my baby is floppy
        daughter floppy since refill
        overdose
        OVERDOSE!
        overdoze
        I think I am overdosing
        is this an overdose
        i took too much baclofen
        they gave me too much at the refill
        she is hard to wake
        he wont wake up
        he won’t wake up
        cant wake my husband
        passed out on the floor
        unconscious
        mom is unresponsive
        she nods off mid sentence since the fill
        he is very sleepy since the refill
        sobredosis
        no despierta
        cant get him to wake up
        my brother keeps falling asleep mid sentence after refill
        mi hijo no se despierta
        mi mama no responde
        I took 10 baclofen pills
        i took 10 baclofen pills what should i do
        i took too much baclofen what should i do
        I gave him two doses of oral baclofen
        took double my baclofen by mistake
        he took an extra dose
        accidentally took my baclofen twice
        swallowed a handful of pills
        se tomo 10 pastillas
        very drowsy
        he is so sleepy he cant talk
        hes really out of it
        she wont answer me shes limp
        mom is not answering me
        dad is limp
        blacking out
        fainted this morning
    """,
    "breathing": """
        i cant breathe
        I can't breathe
        I can’t breathe
        cant breath
        trouble breathing
        hes not breathing
        hard time breathing after the refill
        his breathing is slow
        his lips are blue
        short of breath
        no puedo respirar
        no respira
        cant swallow
        trouble swallowing
        throat is closing
    """,
    "missed_refill_symptoms": """
        no baclofen left in my pump
        ran out of baclofen
        my refill was due tuesday and im itching
        hes super itchy and twitchy since last nite, refill was due tues
        missed my refill and now he has a fever
        overdue for refill and itching
        he has a fever and his refill was last week
        ran out of baclofen and im shaking
        missed refill, legs are stiff
        i missed my refill and i feel funny
        shaky today, refill was supposed to be monday
        im out of medicine in the pump
        my pump is empty
        pump ran out of baclofen
    """,
    "infection_or_leak": """
        redness over pump
        my wound is leaking
        clear fluid leaking from my back
        incision is red and swollen with pus
        red swollen pocket
        yellow stuff coming out of the scar
        la herida supura
        clear fluid on my pillow
        my back is wet where they put the catheter
        wet spot on my dressing
    """,
    "self_harm": """
        i want to die
        want to kill myself
        i dont want to live anymore
        i don't want to live anymore
        id be better off dead
        thinking about suicide
        quiero morir
        me quiero matar
        im going to end it
        no quiero vivir
    """,
    "pump_trauma": """
        catheter broke
        fell on the pump
        i fell and landed on my pump
        kid kicked me in the pump
        i was in a car accident
        pump stopped
        my pump stopped working
        my pump flipped
        me cai sobre la bomba
    """,
}

NOT_URGENT = """
    what does the alarm sound like
    whats the alarm sound like, just asking
    what are the signs of withdrawal
    what are the signs of overdose
    can the pump beep during mri
    what if the alarm goes off
    what do i do if the alarm goes off
    will the alarm wake me
    do all pumps beep
    does the pump have an alarm
    would i hear the alarm in my sleep
    what happens if my pump stops
    what happens in an overdose
    can you overdose on baclofen
    is overdose common
    is itching normal with baclofen
    how do i avoid withdrawal
    how do i know if im in withdrawal
    are seizures a side effect
    can a fall break the pump
    what if i fall on my pump
    does the incision leak normally
    smoke alarm went off lol
    my smoke alarm is beeping
    set my alarm clock wrong sorry
    i set an alarm for my appt
    my car alarm is broken
    dying to know when my refill is
    im dying to get in the pool
    my back is killing me
    no beeping no fever all good
    No beeping, no fever, all good
    no alarms, no itching, doing fine
    no fever, no redness, wound looks great
    no itching, fever, or beeping
    pump isnt beeping
    the alarm has not gone off
    never had an alarm with this pump
    i had an alarm years ago when it was replaced
    my pump stopped hurting
    stop the pain
    not suicidal
    im writing a paper on baclofen withdrawal
    we had a fire drill alarm today
    its not an emergency
    do i need an emergency card
    do i have an emergency plan
    my legs are always stiff
    is it ok to wear tight jeans today
    i need to withdraw cash
    im confused about my refill date
    switching my appointment
    stitching out monday
    leaving now
    keeps asking me
    my hair is cut short
    que es la abstinencia
    como suena la alarma
    la alarma del coche
    does the pump make noise
    what sound does the alarm make
    what noise comes from the pump
    what should i do if the pump makes a noise
    we hear no tones
    how do i stop spasms
    no severe spasms
    what is severe spasticity
    had an mri last week
    my blood pressure is not dropping
    i have high blood pressure
    hot weather makes my legs stiff
    what to do about drowsiness in general
    not very drowsy
    he is not limp
    he walks with a limp
    is it normal to be sleepy after a test dose years ago
    my pills made me so sleepy
    can i take baclofen pills with the pump
    i took my baclofen pills this morning as usual
    i took 3 baclofen pills this morning as usual
    i took 10 baclofen pills a day before the pump
    it took 3 weeks for the pills to work
    he did not take 10 pills
    i took two tablets
    he took both meds
    how many pills did he take
    i have trouble swallowing pills
    can i drink clear fluids before surgery
    my dressing is wet from the shower
    the clinic wont answer me
    when do i need an ambulance
    what if the pump runs out of medicine
    what does the alarm sound like, just asking
    my smoke alarm keeps beeping lol
    when is my refill
    thanks
    ok
    1
"""


def lines(table: str) -> list[str]:
    return [line.strip() for line in table.strip().splitlines()]


@pytest.mark.parametrize(
    ("category", "text"), [(category, text) for category, table in URGENT.items() for text in lines(table)]
)
def test_danger_is_seen_and_named(category: str, text: str) -> None:
    sign = urgent_sign(text)
    assert sign is not None
    assert sign.category == category
    assert sign.words


@pytest.mark.parametrize("text", [text for table in URGENT.values() for text in lines(table)])
def test_danger_is_seen_in_capitals_and_without_apostrophes_and_amid_emoji(text: str) -> None:
    assert urgent_sign(text.upper()) is not None
    assert urgent_sign(text.replace("'", "").replace("’", "")) is not None
    assert urgent_sign(f"😭😭 {text} 😭") is not None
    assert urgent_sign(f"Hi. {text}. Thank you.") is not None


@pytest.mark.parametrize("text", lines(NOT_URGENT))
def test_questions_denials_and_other_alarms_are_calm(text: str) -> None:
    assert urgent_sign(text) is None


@pytest.mark.parametrize("word", ["alarm", "beeping", "withdrawal", "overdose", "unconscious", "seizure", "itching"])
def test_key_words_survive_one_slip(word: str) -> None:
    for place in range(len(word)):
        swapped = word[:place] + word[place : place + 2][::-1] + word[place + 2 :]
        for slipped in (word[:place] + "q" + word[place + 1 :], word[:place] + word[place] + word[place:], swapped):
            assert urgent_sign(slipped) is not None, slipped


def test_a_known_question_in_an_answer_file_is_not_an_emergency(library: Library) -> None:
    phrases = [phrase for answer in library.answers["en"].values() for phrase in answer.phrases]
    raised = [phrase for phrase in phrases if urgent_sign(phrase)]
    assert len(raised) <= len(phrases) // 200  # half a percent


@pytest.mark.parametrize(
    "text",
    [
        "i missed my refill",
        "refill was due yesterday",
        "my refill is overdue",
        "pump is empty",
        "se me paso la recarga",
    ],
)
def test_a_late_refill_is_noticed(text: str) -> None:
    assert late_refill(text)


@pytest.mark.parametrize("text", ["what if i miss my refill", "when is my refill", "what if the pump is empty"])
def test_a_refill_only_imagined_late_is_not(text: str) -> None:
    assert late_refill(text) is None
