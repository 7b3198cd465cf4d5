"""The real bot for the soak test, except that links may lead to this machine, which serves the songs."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from bot.__main__ import main  # noqa: E402  found only now

UNGUARDED = ("-sPB", "-m", "tests.links.unguarded_child")

if __name__ == "__main__":
    with mock.patch("links.fetcher.CHILD", UNGUARDED), mock.patch("links.address.is_outside", return_value=True):
        sys.exit(main())
