from __future__ import annotations

import json

from classifier.song_report import SegmentReport, SongReport, Tag

SONG = SongReport(
    genre="vpop",
    confidence=0.7,
    sure=True,
    model="18-genres-12345678",
    duration=61.5,
    probabilities={"vpop": 0.7, "pop": 0.2, "rock": 0.1},
    segments=(
        SegmentReport(0, 30, "vpop", 0.8, {"vpop": 0.8, "pop": 0.2}, {"fusion": "pop"}, "pop", "music", 0.99),
        SegmentReport(30, 60, None, 0.0, {}, {}, None, "speech", 0.02),
    ),
    family="pop",
    kind="music",
    music=0.99,
    tags=(Tag("female vocalists", 0.6),),
)


def test_it_survives_a_file() -> None:
    assert SongReport.from_dict(json.loads(json.dumps(SONG.as_dict()))) == SONG


def test_what_is_not_music_has_no_genre() -> None:
    part = SONG.as_dict()["segments"][1]
    assert (part["genre"], part["family"], part["kind"], part["confidence"]) == (None, None, "speech", 0.0)


def test_a_report_of_before_there_were_families_is_music_of_its_own_family() -> None:
    old = SONG.as_dict()
    for key in ("family", "kind", "music", "tags"):
        del old[key]
    old["segments"] = [{k: v for k, v in old["segments"][0].items() if k not in {"family", "kind", "music"}}]
    read = SongReport.from_dict({**old, "genre": "rock", "something": "new"})
    assert (read.family, read.kind, read.music, read.tags) == ("rock", "music", 1.0, ())
    assert read.segments[0].family == read.segments[0].genre
