"""Fetches the links of the hostile world and prints statistics: ``python -m tests.links``, as root, in about a minute.

They show links fetched, how many ended as expected, canaries hit with and without the guard, and leftovers.
``--whole`` uses the bot's own child process for every link, with all of yt-dlp's extractors; that takes far longer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.links.cases import ENDINGS, GOOD_CASES, INSIDE_CASES, LIST_CASES
from tests.links.namespaces import Namespaces
from tests.links.test_hostile_world import CANARIES, HARMLESS

GENERIC, UNGUARDED = "tests.links.generic_child", "tests.links.unguarded_child"


def expected() -> dict[str, set[str | None]]:
    """Return the error codes in which each link may end; None for a song or a playlist."""
    return {
        **{name: {None} for name in (*GOOD_CASES, *LIST_CASES)},
        **{name: HARMLESS.get(name, {"link-inside"}) for name in INSIDE_CASES},
        **{name: {code} for name, (code, _) in ENDINGS.items()},
    }


def fetch_all(namespaces: Namespaces, *, whole: bool) -> int:
    """Fetch every link with the guard, the canaries' without it; print the figures, return how many are wrong."""
    cases = {**GOOD_CASES, **LIST_CASES, **INSIDE_CASES, **{name: case for name, (_, case) in ENDINGS.items()}}
    told, hits = namespaces.fetch(cases, *(() if whole else (GENERIC,)))
    results: dict[str, dict[str, Any]] = told["results"]
    endings = expected()
    wrong = [name for name, result in results.items() if result["code"] not in endings[name]]
    left = [name for name, result in results.items() if result["left"]]
    slowest = max(results, key=lambda name: results[name]["seconds"])
    _, sung = namespaces.fetch(CANARIES, UNGUARDED)
    print(f"links fetched: {len(results)}")
    print(f"ended as they must: {len(results) - len(wrong)}", *wrong)
    print(f"canary hits with the guard: {len(hits)}", *hits)
    print(f"canaries hit without it: {len(set(sung) & set(CANARIES))} of {len(CANARIES)}")
    print(f"folders with something left: {len(left)}", *left)
    print(f"processes left: {len(told['children'])}, descriptors left: {max(0, told['files'])}")
    print(f"slowest: {slowest}, {results[slowest]['seconds']:.1f} s")
    return len(wrong) + len(hits) + len(left) + len(told["children"]) + len(set(CANARIES) - set(sung))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.links", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--whole", action="store_true", help="use the bot's own child process for every link")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        namespaces = Namespaces(Path(folder))
        try:
            namespaces.open()
            return min(1, fetch_all(namespaces, whole=asked.whole))
        finally:
            namespaces.close()


if __name__ == "__main__":
    sys.exit(main())
