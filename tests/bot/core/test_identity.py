from __future__ import annotations

import logging
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.identity import BadKey, IdHasher, Person, open_keys
from bot.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

KEYS = IdHasher(b"a key that only the tests know")


def test_a_person_is_known_by_a_hash_that_does_not_show_who_they_are() -> None:
    known = KEYS.person(Person("discord", "123456789"))
    assert len(known) == 64
    assert "123456789" not in known
    assert known == KEYS.person(Person("discord", "123456789"))


def test_with_another_key_everybody_is_a_stranger() -> None:
    assert IdHasher(b"another key").person(Person("discord", "1")) != KEYS.person(Person("discord", "1"))


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_different_people_never_share_a_hash(platform: str, who: str, other_platform: str, other: str) -> None:
    one, two = Person(platform, who), Person(other_platform, other)
    assert (KEYS.person(one) == KEYS.person(two)) is (one == two)


def test_a_person_and_a_chat_with_the_same_number_have_different_hashes() -> None:
    assert KEYS.person(Person("telegram", "7")) != KEYS.chat("telegram", "7")


def test_a_key_is_made_once_and_kept_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "data")
    somebody = Person("local", "abc")
    first = open_keys(settings).person(somebody)
    assert open_keys(settings).person(somebody) == first
    file = settings.data_dir / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_file_that_others_could_read_is_closed_to_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(data_dir=tmp_path)
    open_keys(settings)
    file = tmp_path / "secret.key"
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        open_keys(settings)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text(encoding="ascii") not in caplog.text


def test_a_key_in_the_settings_leaves_no_file(tmp_path: Path) -> None:
    open_keys(Settings(data_dir=tmp_path, secret_key="sixteen or more characters"))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_half_a_key_is_refused_and_not_mended(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("", encoding="ascii")
    with pytest.raises(BadKey, match="no complete key"):
        open_keys(Settings(data_dir=tmp_path))
