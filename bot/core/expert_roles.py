"""Which experts decide about a genre in the serving release, read from the manifest beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classifier.inference.manifest import BadRelease, read_manifest
from common.genres import load_genres

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from classifier.song_report import SongReport


class ExpertRoles:
    """Tells for a report which experts had a weight in its answer.

    Parameters
    ----------
    model_dir
        The folder of the serving release.
    """

    def __init__(self, model_dir: Path) -> None:
        self._model_dir = model_dir
        self._known: dict[str, Mapping[str, frozenset[str]]] = {}

    def deciding(self, report: SongReport) -> frozenset[str] | None:
        """Return the experts with a weight in the answer; None if the release does not tell, or no longer serves."""
        if report.model not in self._known:
            self._known[report.model] = self._read(report.model)
        genre = report.genre or ""
        experts = self._known[report.model]
        return experts.get(genre) or experts.get(load_genres().family_of(genre))

    def _read(self, release: str) -> Mapping[str, frozenset[str]]:
        try:
            manifest = read_manifest(self._model_dir)
            if manifest["name"] != release:
                return {}
            return {
                genre: frozenset(expert for expert, weight in branch["weights"].items() if weight > 0)
                for branch in manifest["pool"]["branches"]
                for genre in branch["genres"]
            }
        except (BadRelease, KeyError, TypeError, AttributeError):
            return {}
