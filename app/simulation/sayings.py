"""What people text: plain words, each of a kind that the simulation knows, whatever Pumpline makes of them."""

from collections.abc import Mapping
from random import Random

_SAID: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "urgent": {
        "en": (
            "ALARM",
            "My pump is beeping",
            "the alarm on my pump keeps going off",
            "I am itching all over and my legs are very tight",
            "really bad spasms and fever since last night",
            "my husband is very hot, confused and stiff",
            "she is so sleepy I cannot wake her",
            "he is hard to wake up and breathing slow",
            "I can't breathe",
            "trouble breathing, very weak and floppy",
            "the wound over my pump is red and leaking",
            "my pump site is swollen and I have a fever",
            "I fell hard on my pump and now I feel dizzy",
            "I think I am in withdrawal",
            "overdose? he is limp and drooling and won't answer",
            "my pump stopped",
            "I want to die",
            "something is wrong with me",
        ),
        "es": (
            "mi bomba esta pitando",
            "la alarma de la bomba no para de sonar",
            "tengo mucha comezon y las piernas muy duras",
            "mi esposo tiene fiebre, esta confundido y rigido",
            "no puedo despertarla, esta muy dormida",
            "no puedo respirar",
            "le cuesta respirar y esta muy debil",
            "la herida de la bomba esta roja y sale liquido",
            "me caigo de sueño y estoy muy flojo",
            "creo que tengo abstinencia de baclofeno",
        ),
    },
    "beeps": {
        "en": ("My pump is beeping", "I hear a beep from my pump every few minutes", "ALARM"),
        "es": ("mi bomba esta pitando", "la alarma de la bomba no para de sonar"),
    },
    "dry": {
        "en": (
            "I missed my refill and now I itch and my spasms are back",
            "my refill is overdue and I feel awful, sweating and shaking",
            "itching, very tight and hot, I think the pump is empty",
        ),
        "es": ("perdi mi recarga y ahora tengo comezon y espasmos", "tengo mucha comezon y las piernas muy duras"),
    },
    "question": {
        "en": (
            "Can I travel with my pump?",
            "Can I go through airport security?",
            "Is an MRI ok with the pump?",
            "can i take a bath",
            "How long does the battery last?",
            "what does the alarm sound like",
            "Can I drink alcohol?",
            "can I use a hot tub",
            "MENU",
            "HELP",
            "REFILL",
            "TRAVEL",
            "what are side effects",
            "what is baclofen",
            "thank you",
            "when is my refill?",
        ),
        "es": (
            "¿Puedo viajar con la bomba?",
            "puedo beber alcohol",
            "puedo hacerme una resonancia",
            "cuanto dura la bateria",
            "MENU",
            "gracias",
            "puedo manejar",
            "cuando es mi cita",
        ),
    },
    "odd": {
        "en": (
            "is the cafeteria open on sundays",
            "my insurance card changed, who do I tell",
            "what dose should I be on",
            "can you raise my dose a little",
            "NURSE",
            "please call me",
            "I need to talk to a nurse",
        ),
        "es": ("a que hora abre la cafeteria", "ENFERMERA", "quiero hablar con una enfermera"),
    },
    "confirm": {"en": ("yes I will be there", "see you then", "ok I'll come"), "es": ("si, ahi estare", "ahi estare")},
    "change": {
        "en": ("I need to change my appointment", "can we move my visit to next week", "need another time"),
        "es": ("necesito cambiar mi cita", "no puedo ir ese dia"),
    },
    "cancel": {
        "en": ("please cancel my appointment", "I want to cancel my visit"),
        "es": ("cancelar mi cita por favor", "quiero cancelar mi cita"),
    },
    "cancel alone": {"en": ("CANCEL", "Cancel"), "es": ("CANCELAR", "CANCEL")},
    "stop": {"en": ("STOP", "stop"), "es": ("STOP", "ALTO")},
    "start": {"en": ("START",), "es": ("START",)},
    "here": {"en": ("I was there today", "but I came this morning"), "es": ("si fui hoy a mi cita",)},
    "late": {"en": ("running 15 minutes late", "I will be late"), "es": ("voy a llegar tarde",)},
    "sorry": {
        "en": (
            "sorry I forgot, can I come tomorrow?",
            "I missed it, need another time",
            "can you call me about a new time",
        ),
        "es": ("lo siento, se me olvido, puedo ir otro dia", "necesito otra cita"),
    },
}


def say(what: str, language: str, chance: Random) -> str:
    said = _SAID[what]
    return chance.choice(said.get(language) or said["en"])


def every(what: str) -> tuple[tuple[str, str], ...]:
    """Return all words of a kind, each with its language."""
    return tuple((language, words) for language, said in _SAID[what].items() for words in said)
