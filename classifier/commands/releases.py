"""``releases``: lists the stored releases and their latest events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from classifier.inference.manifest import PACKAGED_MODELS

if TYPE_CHECKING:
    import argparse

    from classifier.inference.releases import JournalEntry, StoredRelease

DESCRIPTION: Final = """\
Lists all releases that are stored in DIR: creation time, accuracy on the base data set and on held-out corrections,
which one is serving, and the latest event with its reason."""


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the folder of the releases."""
    parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="folder of the releases (default: where the bot with these settings has them: MODEL_DIR, DATA_DIR/models "
        "if it retrains by itself, or the packaged one)",
    )


def folder_of(arguments: argparse.Namespace) -> Path:
    """Return the folder of the releases.

    Raises
    ------
    SystemExit
        With a sentence, if the settings do not say where it is, since one of them is wrong.
    """
    from pydantic import ValidationError

    from common.community import CommunitySettings

    if arguments.models is not None:
        return Path(arguments.models)
    try:
        return CommunitySettings().serving_releases(PACKAGED_MODELS)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(each["loc"][0]).upper() for each in error.errors() if each["loc"]}))
        sentence = f"{wrong} is set wrongly; python -m bot --check says more. Or name the folder by --models."
        raise SystemExit(sentence) from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add_models(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")


def run(arguments: argparse.Namespace) -> int:
    """List the releases; return the exit status."""
    from classifier.inference.releases import ReleaseStore

    releases = ReleaseStore(folder_of(arguments))
    last = {entry.name: entry for entry in releases.journal()}
    rows = [_row(kept, last.get(kept.name)) for kept in releases.all()]
    if arguments.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    else:
        _print_table(rows)
    return 0


def _row(kept: StoredRelease, entry: JournalEntry | None) -> dict[str, Any]:
    figures = kept.manifest.get("figures") or {}
    return {
        "name": kept.name,
        "serving": kept.serving,
        "made": kept.made,
        "genres": len(kept.manifest["genres"]),
        "base": figures.get("base"),
        "feedback": figures.get("feedback"),
        "event": None if entry is None else str(entry.event),
        "time": None if entry is None else entry.time,
        "reason": None if entry is None else entry.reason,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    import sys

    from classifier.commands.report_table import print_lines, print_table

    cells = []
    for row in rows:
        happened = f"{row['event']} {row['time'] or ''}: {row['reason']}" if row["event"] else ""
        mark, made = "serves" if row["serving"] else "", str(row["made"])
        figures = (str(row["genres"]), _share(row["base"]), _share(row["feedback"]))
        cells.append((row["name"], mark, made, *figures, happened))
    if sys.stdout.isatty():
        print_table(("Release", "", "Created", "Genres", "Base", "Feedback", "Latest event"), cells, shorten=-1)
    else:
        print_lines(cells)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
