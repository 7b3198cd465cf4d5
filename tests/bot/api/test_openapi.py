"""The description of the API holds: schemathesis tries the running server against it, and its limits are the code's."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bot.api.server import read_document
from bot.core.playlist_question import PLAYLIST_SONGS
from tests.bot.api.conftest import ANN, events, send

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.api.conftest import Api

    Tone = Callable[..., Path]

# A random genre may not be one, and a random link leads nowhere: 422 is a right answer to a well-formed request.
CONFIG = """
[checks]
# DELETE stops a song, and its state can still be asked for.
use_after_free.enabled = false
positive_data_acceptance.expected-statuses = ["2xx", "401", "404", "409", "410", "422", "429"]
# Any bytes are taken for a file, and its content is judged only when the song's turn comes.
negative_data_rejection.expected-statuses = ["400", "401", "404", "409", "413", "415", "422", "429", "202"]
"""
EXAMPLES_EACH = 8


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    found = document
    for name in schema.get("$ref", "#").split("/")[1:]:
        found = found[name]
    return found


def test_the_limits_in_the_description_are_the_programs_own() -> None:
    document = read_document()
    count = document["components"]["schemas"]["PlaylistCount"]["properties"]["count"]
    assert count["maximum"] == PLAYLIST_SONGS


def test_every_reference_in_the_description_leads_somewhere() -> None:
    document = read_document()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if "$ref" in part:
                assert _resolved(part, document)
            for each in part.values():
                walk(each)
        elif isinstance(part, list):
            for each in part:
                walk(each)

    walk(document)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_running_server_does_what_the_description_says(api: Api, tone: Tone, tmp_path: Path) -> None:
    song = await send(api.ann, tone())
    await events(api.ann, song["id"])
    config = tmp_path / "schemathesis.toml"
    await asyncio.to_thread(config.write_text, CONFIG)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
        f"http://127.0.0.1:{api.chat.port}/v1/openapi.json",
        *("--header", f"Authorization: Bearer {ANN}", "--seed", "1", "--no-color"),
        *("--max-examples", str(EXAMPLES_EACH), "--request-timeout", "20"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode("utf-8", "replace")[-6000:]
