"""Synthesised sounds to train with: music that is easily mistaken for something else, and signals that are not music.

``MUSIC`` and ``SIGNALS`` list them; the modules beside this one make them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from classifier.training.synthesis import bells_and_organs, signals, singing
from classifier.training.synthesis.unaccompanied import INSTRUMENTS, drum_kit, hand_drums, solo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.random import Generator

    from classifier.training.synthesis.instruments import Sound

    Synthesiser = Callable[[Generator, float], Sound]

DRUMS: Final[Mapping[str, Synthesiser]] = {"drum kit": drum_kit, "hand drums": hand_drums}
VOICES: Final[Mapping[str, Synthesiser]] = {
    "singing": singing.singing,
    "humming": singing.humming,
    "choir": singing.choir,
    "whistling": singing.whistling,
}
MUSIC: Final[Mapping[str, Synthesiser]] = {
    **{name: partial(solo, instrument=instrument) for name, instrument in INSTRUMENTS.items()},
    **DRUMS,
    **VOICES,
    "bells": bells_and_organs.bells,
    "singing bowls": bells_and_organs.singing_bowls,
    "drone": bells_and_organs.drone,
    "fairground organ": bells_and_organs.fairground_organ,
    "church organ": bells_and_organs.church_organ,
}
"""Music by name: each takes a random generator and a length in seconds, and returns samples at 44,100 Hz."""

SIGNALS: Final[Mapping[str, tuple[str, Synthesiser]]] = {
    "steady tone": ("tone", signals.steady_tone),
    "telephone tone": ("tone", signals.telephone_tone),
    "telephone keys": ("tone", signals.telephone_keys),
    "beeps": ("tone", signals.beeps),
    "sweep": ("tone", signals.sweep),
    "mains hum": ("tone", signals.mains_hum),
    "noise": ("environment", signals.coloured_noise),
    "clicks": ("environment", signals.clicks),
    "engine": ("environment", signals.engine),
}
"""Signals that are not music by name: what kind of sound it is, and how it is made."""
