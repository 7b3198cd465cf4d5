"""Held-out scores of the released model on a study's songs, to compare with the study's models."""

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
"""Protocol of a study → the corresponding split in the evaluation of the released model."""
SPLIT_DESCRIPTIONS: Final = {
    ARTISTS: "the same published artist folds as here; each song is classified by a model that was trained like the "
    "released one, but without the artists of that fold",
    SONGS: "a random fifth of the songs, classified by a model that was trained like the released one, but "
    "without them",
}
UNKNOWN: Final = "The released model classifies audio, and this table has none, so there is no score to compare with."


@dataclass(frozen=True)
class ReleasedModelScore:
    """The score of the released model under a protocol, and a sentence about where it comes from."""

    protocol: str
    figure: Figure
    about: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {"protocol": self.protocol, **self.figure.as_dict(), "about": self.about}


def held_out(models: Path) -> dict[str, ReleasedModelScore]:
    """Return protocol → score from the evaluation beside the released model; empty if there is none."""
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
        protocol: ReleasedModelScore(protocol, kept[split], SPLIT_DESCRIPTIONS[protocol])
        for protocol, split in SPLIT_OF.items()
        if split in kept and kept[split].of
    }
