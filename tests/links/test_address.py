"""Links that people paste, and titles that sites report."""

from __future__ import annotations

import ipaddress
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from links import parse_link
from links.address import LINK_CHARACTERS, allows, clean_name, is_outside
from links.errors import HostNotAllowed, LinkError, NotALink, PrivateAddress
from links.guard import is_public
from tests.links.cases import INSIDE_ADDRESSES

MANY = settings(max_examples=400, deadline=None)
INSIDE_NETWORKS = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "255.255.255.255/32",
    "168.63.129.16/32",
    "::/96",
    "::ffff:0:0/96",
    "64:ff9b::a00:0/104",
    "64:ff9b::7f00:0/104",
    "64:ff9b:1::/48",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
OUTSIDE = ["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"]


@st.composite
def inside(draw: st.DrawFn) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    network = ipaddress.ip_network(draw(st.sampled_from(INSIDE_NETWORKS)))
    return network[draw(st.integers(0, network.num_addresses - 1))]


@MANY
@given(inside())
def test_no_inside_address_is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert not is_public(str(address))
    assert not is_public(address.exploded)


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_world_outside_is_public(address: str) -> None:
    assert is_public(address)
    assert is_outside(address)


@MANY
@given(st.integers(0, 2**32 - 1), st.sampled_from(["{}", "{:#x}", "0{:o}"]))
def test_whole_numbers_are_read_as_the_address_that_they_mean(number: int, form: str) -> None:
    assert is_outside(form.format(number)) == is_public(str(ipaddress.IPv4Address(number)))


@MANY
@given(st.integers(0, 255), st.integers(0, 2**24 - 1), st.sampled_from(["{}", "{:#X}", "0{:o}"]))
def test_short_forms_are_read_as_the_address_that_they_mean(first: int, rest: int, form: str) -> None:
    host = f"{form.format(first)}.{form.format(rest)}"
    assert is_outside(host) == is_public(str(ipaddress.IPv4Address(first * 2**24 + rest)))


@MANY
@given(st.text())
@example("\x00")
@example("1." * 2000)
@example("①②⑦.⓪.⓪.①")
def test_any_host_at_all_is_judged(host: str) -> None:
    assert is_outside(host) in {True, False}
    assert is_public(host) in {True, False}


@MANY
@given(st.one_of(st.text(), st.text().map("https://{}".format), st.text().map("http://song.example/{}".format)))
@example("http://[")
@example("http://a:99999/")
@example("http://" + "a" * 4000)
@example("https://song.example/\u202egnp.exe")
def test_any_text_at_all_is_a_link_or_gets_its_sentence(text: str) -> None:
    try:
        link = parse_link(text)
    except LinkError as error:
        told = str(error)
    else:
        told = "A link."
        assert link.lower().startswith(("http://", "https://"))
        assert len(link) <= LINK_CHARACTERS
        assert not any(character.isspace() or unicodedata.category(character)[0] == "C" for character in link)
    assert told.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "song",
        "song.example/a",
        "ftp://song.example/a",
        "file:/etc/passwd",
        "file://localhost/etc/passwd",
        "data:audio/wav;base64,AAAA",
        "javascript:alert(1)",
        "ytsearch:song",
        "//song.example/a",
        "http://",
        "http:///a",
        "http://song.example:0/",
        "http://song.example:port/",
        "http://somebody@song.example/",
        "http://somebody:secret@song.example/",
        "http://song.example\\@10.1.2.3/",
        "http://song.example/a b",
        "http://song.example/\r\nHost: other",
        "http://song.example/\x00",
        "http://song.example/" + "a" * LINK_CHARACTERS,
    ],
)
def test_what_is_no_link_is_told_so(text: str) -> None:
    with pytest.raises(NotALink):
        parse_link(text)


@pytest.mark.parametrize(
    "link", [link for name, link in INSIDE_ADDRESSES.items() if "name" not in name and "own" not in name]
)
def test_a_link_that_names_an_inside_address_is_refused_at_once(link: str) -> None:
    with pytest.raises(PrivateAddress):
        parse_link(link)


def test_a_link_may_stand_in_angle_brackets() -> None:
    assert parse_link(" <https://song.example/a?b=c#d> ") == "https://song.example/a?b=c#d"


@pytest.mark.parametrize("host", ["song.example", "www.song.example", "SONG.example", "song.example."])
def test_an_allowed_host_stands_for_those_below_it(host: str) -> None:
    assert allows(["song.example"], host)
    assert parse_link(f"https://{host}/", ["song.example"])


@pytest.mark.parametrize("host", ["example", "badsong.example", "song.example.org", "song.example.evil.org"])
def test_another_host_is_not_allowed(host: str) -> None:
    with pytest.raises(HostNotAllowed):
        parse_link(f"https://{host}/", ["song.example"])


@MANY
@given(st.text(max_size=3000))
@example("@everyone <@123> <script>alert(1)</script> [a](https://b) **c** \u202e\x00\n# d")
@example("<" * 3000)
def test_any_name_at_all_is_fit_to_be_shown(text: str) -> None:
    name = clean_name(text)
    if name is not None:
        assert name == name.strip() != ""
        assert not set(name) & set("@<>*_`~|\\\n\r\x00")
        assert "://" not in name
        assert "](" not in name
        assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in name)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Artist – Song (Live) [1999]", "Artist – Song (Live) [1999]"),
        ("Cải lương: Tình anh bán chiếu", "Cải lương: Tình anh bán chiếu"),
        ("<b>Bold</b> *move*", "Bold move"),
        ("@everyone listen", "＠everyone listen"),
        ("# Heading", "Heading"),
        ("  \u200b\u202e ", None),
        ("", None),
        (None, None),
        (17, None),
    ],
)
def test_a_name_keeps_what_is_a_name(said: object, name: str | None) -> None:
    assert clean_name(said) == name
