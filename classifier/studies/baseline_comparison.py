"""The released model beside a study's models: its held-out figures on the same songs, never what it learnt by heart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from classifier.studies.protocols import ARTISTS, SONGS
from classifier.training.accuracy import Figure

if TYPE_CHECKING:
    from pathlib import Path

EVALUATION: Final = "evaluation.json"
SPLIT_OF: Final = {ARTISTS: "artist_fold", SONGS: "random"}
"""The split of the model's own evaluation that answers to a protocol here."""
SAID: Final = {
    ARTISTS: "the same published folds of artists as here; each song is asked of a model that was built like the "
    "released one without the artists of that fold",
    SONGS: "a fifth of the songs, drawn at random; they are asked of a model that was built like the released one "
    "without them",
}
UNKNOWN: Final = (
    "The released model listens to sound, and this table holds none: what it would say of these rows is not known."
)


@dataclass(frozen=True)
class Ours:
    """The released model's figure under a protocol, and a sentence on where it comes from."""

    protocol: str
    figure: Figure
    said: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {"protocol": self.protocol, **self.figure.as_dict(), "about": self.said}


def held_out(models: Path) -> dict[str, Ours]:
    """Return protocol → figure, from the evaluation that lies beside the released model; empty where there is none."""
    try:
        content: Any = json.loads((models / EVALUATION).read_text("utf-8"))
        kept = {
            figure["split"]: Figure(
                figure["split"], "this bot", figure["condition"], int(figure["right"]), int(figure["of"])
            )
            for figure in content
            if figure["system"] == "ensemble" and figure["condition"] == "clean"
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {
        protocol: Ours(protocol, kept[split], SAID[protocol])
        for protocol, split in SPLIT_OF.items()
        if split in kept and kept[split].of
    }
