"""The test cases of the hostile world: links, and the error code that each must end in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.links.sites import PUBLIC, PUBLIC_6

Case = dict[str, Any]
HERE = f"http://{PUBLIC}"
INSIDE = "http://10.1.2.3/song.wav"
SHORT = {"limits": {"seconds": 8, "silence_seconds": 2}}
IMPATIENT = {"limits": {"silence_seconds": 1}}


def leads(page: str, to: str, **query: object) -> str:
    """Return a link to a page that redirects or links to another one."""
    more = "".join(f"&{name}={quote(str(value), safe='')}" for name, value in query.items())
    return f"{HERE}/{page}?to={quote(to, safe='')}{more}"


INSIDE_ADDRESSES = {
    "loopback": "http://127.0.0.1/",
    "ten": "http://10.1.2.3/",
    "one-seven-two": "http://172.16.5.5/",
    "one-nine-two": "http://192.168.7.7/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "shared": "http://100.64.0.9/",
    "benchmark": "http://198.18.0.9/",
    "own address": "http://45.0.0.1/",
    "own address six": "http://[2600:beef::1]/",
    "unspecified": "http://0.0.0.0/",
    "loopback six": "http://[::1]/",
    "unspecified six": "http://[::]/",
    "local six": "http://[fd00::9]/",
    "mapped": "http://[::ffff:10.1.2.3]/",
    "mapped hexadecimal": "http://[::ffff:a01:203]/",
    "compatible": "http://[::127.0.0.1]/",
    "six-to-four": "http://[2002:a01:203::1]/",
    "nat64": "http://[64:ff9b::a01:203]/",
    "decimal": "http://167838211/",
    "octal": "http://012.1.2.3/",
    "hexadecimal": "http://0xa.1.2.3/",
    "hexadecimal whole": "http://0x0a010203/",
    "short": "http://127.1/",
    "short ten": "http://10.66051/",
    "octal metadata": "http://0251.0376.0251.0376/",
    "mapped metadata": "http://[::ffff:169.254.169.254]/",
    "user name": f"http://{PUBLIC}@10.1.2.3/",
    "user name and colon": f"http://{PUBLIC}:80@127.0.0.1:80/",
    "fragment": f"http://10.1.2.3#@{PUBLIC}/",
    "wide digits": "http://①⓪.1.2.3/",
    "name": "http://inside.example/",
    "name of loopback": "http://local.example/",
    "name of metadata": "http://metadata.example/",
    "name of both": "http://mixed.example/",
    "name of own": "http://own.example/",
    "name six": "http://inside-six.example/",
    "name loopback six": "http://loopback-six.example/",
    "localhost": "http://localhost/",
}

WAYS_IN = {
    **{f"redirect {status}": leads("redirect", INSIDE, status=status) for status in (301, 302, 303, 307, 308)},
    "redirect relative to scheme": leads("redirect", "//10.1.2.3/song.wav", status=302),
    "refresh": leads("refresh", INSIDE),
    "element": leads("element", INSIDE),
    "feed": leads("feed.xml", INSIDE),
    "play list": leads("list.m3u", INSIDE),
    "hls segment": leads("list.m3u8", INSIDE),
    "hls map": leads("list.m3u8", "/part.ts", map=INSIDE),
    "hls key": leads("list.m3u8", "/part.ts", key=INSIDE),
    "hls master": leads("master.m3u8", "http://10.1.2.3/list.m3u8"),
    "dash segment": leads("list.mpd", INSIDE),
    "element with a name": leads("element", "http://inside.example/song.wav"),
    "redirect of a segment": leads("list.m3u8", leads("redirect", INSIDE, status=302)),
    "rebinding element": "http://turn-element.example/element?to=/song.wav",
    "rebinding segment": "http://turn-segment.example/list.m3u8?to=/part.ts",
    "rebinding redirect": "http://turn-redirect.example/redirect?status=302%26to=/song.wav".replace("%26", "&"),
}

INSIDE_CASES: dict[str, Case] = {
    "straight to a name": {"link": "http://inside.example/"},
    "straight to a name of both kinds": {"link": "http://metadata.example/latest/meta-data/"},
    **{f"to {name}": {"link": leads("redirect", to, status=302)} for name, to in INSIDE_ADDRESSES.items()},
    **{f"by {name}": {"link": link} for name, link in WAYS_IN.items()},
}

GOOD_CASES: dict[str, Case] = {
    "a file": {"link": f"{HERE}/song.wav"},
    "a file of no type": {"link": f"{HERE}/song"},
    "a file with a wrong type": {"link": f"{HERE}/song-as-page"},
    "a file by name": {"link": "http://song.example/song.wav"},
    "a file over IPv6": {"link": f"http://[{PUBLIC_6}]/song.wav"},
    "a file by a name over IPv6": {"link": "http://six.example/song.wav"},
    "a redirect": {"link": leads("redirect", "/song.wav", status=302)},
    "a page with an audio element": {"link": leads("element", "/song.wav")},
    "a feed": {"link": leads("feed.xml", f"{HERE}/song.wav")},
    "a play list": {"link": leads("list.m3u8", "/part.ts")},
    "a play list of play lists": {"link": leads("master.m3u8", "/list.m3u8?to=/part.ts")},
    "a DASH manifest": {"link": leads("list.mpd", f"{HERE}/part.ts")},
    "one of several": {"link": f"{HERE}/elements", "item": 2},
    "an allowed host": {"link": "http://song.example/song.wav", "hosts": ["example"]},
    "a page that says it is a song": {"link": f"{HERE}/page-as-song"},
    "a title that means harm": {"link": f"{HERE}/titled"},
    "a file over HTTPS": {"link": "https://good.example/song.wav"},
    "a redirect to HTTPS": {"link": leads("redirect", "https://good.example/song.wav", status=301)},
    "a proxy": {"link": "http://song.example/song.wav", "proxy": f"http://{PUBLIC}"},
}

LIST_CASES: dict[str, Case] = {
    "list: a page of songs": {"link": f"{HERE}/elements", "most": 25},
    "list: a feed": {"link": f"{HERE}/episodes.xml", "most": 25},
    "list: a long feed": {"link": f"{HERE}/many.xml", "most": 40},
    "list: one song": {"link": f"{HERE}/titled", "most": 25},
}

ENDINGS: dict[str, tuple[str, Case]] = {
    "several songs": ("link-list", {"link": f"{HERE}/elements"}),
    "a feed of several": ("link-list", {"link": f"{HERE}/episodes.xml"}),
    "no such one of several": ("link-not-found", {"link": f"{HERE}/elements", "item": 9}),
    "one of several that leads inside": ("link-inside", {"link": f"{HERE}/episodes.xml", "item": 3}),
    "one of several that is no link": ("link-no-music", {"link": f"{HERE}/episodes.xml", "item": 1}),
    "another host": ("link-host", {"link": "http://song.example/song.wav", "hosts": ["example.org"]}),
    "a redirect to another host": (
        "link-host",
        {"link": leads("refresh", "http://song.example/song.wav"), "hosts": [PUBLIC]},
    ),
    "a slow head": ("link-timeout", {"link": f"{HERE}/slow-head", "waits": True, **SHORT}),
    "a slow body": ("link-timeout", {"link": f"{HERE}/slow-body.wav", "waits": True, **SHORT}),
    "a drip": ("link-too-slow", {"link": f"{HERE}/slow-body.wav", "waits": True, "limits": {"grace_seconds": 2}}),
    "no answer": ("link-timeout", {"link": f"{HERE}/silent", "waits": True, **IMPATIENT}),
    "an endless body": ("too-large", {"link": f"{HERE}/endless.wav"}),
    "an endless page": ("too-large", {"link": f"{HERE}/endless.wav?kind=text/html"}),
    "endless chunks": ("too-large", {"link": f"{HERE}/endless-chunks.wav"}),
    "an endless redirect": ("too-large", {"link": f"{HERE}/endless-redirect"}),
    "an endless error": ("link-not-found", {"link": f"{HERE}/endless-error"}),
    "an endless head": ("too-large", {"link": f"{HERE}/endless-head"}),
    "a declared length": ("too-large", {"link": f"{HERE}/declared.wav"}),
    "a lying head": ("too-large", {"link": f"{HERE}/lying-head.wav"}),
    "a packed page": ("too-large", {"link": f"{HERE}/packed"}),
    "a packed song": ("too-large", {"link": f"{HERE}/packed?kind=audio/wav"}),
    "a page packed by deflate": ("too-large", {"link": f"{HERE}/packed?encoding=deflate"}),
    "a page packed by brotli": ("too-large", {"link": f"{HERE}/packed?encoding=br"}),
    "a song packed by brotli": ("too-large", {"link": f"{HERE}/packed?encoding=br&kind=audio/wav"}),
    "a page packed twice": ("too-large", {"link": f"{HERE}/packed?encoding=gzip,+gzip"}),
    "a packed error": ("link-not-found", {"link": f"{HERE}/packed?status=404+No"}),
    "endless segments": ("too-large", {"link": leads("list.m3u8", "/large.ts", parts=29)}),
    "a truncated body": ("link-failed", {"link": f"{HERE}/truncated.wav"}),
    "a reset connection": ("link-failed", {"link": f"{HERE}/cut.wav"}),
    "a refused connection": ("link-failed", {"link": f"{HERE}/refused"}),
    "a closed port": ("link-failed", {"link": f"{HERE}:8080/"}),
    "another service": ("link-failed", {"link": f"{HERE}:25/"}),
    "no HTTP": ("link-failed", {"link": f"{HERE}/nonsense"}),
    "a redirect loop": ("link-failed", {"link": leads("redirect", "/redirect?to=&status=302", status=302)}),
    "refreshed for ever": ("link-no-music", {"link": f"{HERE}/again"}),
    "a live broadcast": ("link-live", {"link": leads("list.m3u8", "/part.ts", live=1)}),
    "protected": ("link-drm", {"link": leads("list.m3u8", "/part.ts", drm=1)}),
    "too long": ("too-long", {"link": f"{HERE}/long.m3u8"}),
    "a page of words": ("link-no-music", {"link": f"{HERE}/page"}),
    "an empty file": ("empty-file", {"link": f"{HERE}/empty.wav"}),
    "no such name": ("link-not-found", {"link": "http://nobody.example/"}),
    "not found": ("link-not-found", {"link": f"{HERE}/status?status=404+No"}),
    "gone": ("link-removed", {"link": f"{HERE}/status?status=410+No"}),
    "login": ("link-login", {"link": f"{HERE}/status?status=401+No"}),
    "forbidden": ("link-blocked", {"link": f"{HERE}/status?status=403+No"}),
    "too many": ("link-blocked", {"link": f"{HERE}/status?status=429+No"}),
    "for legal reasons": ("link-geo", {"link": f"{HERE}/status?status=451+No"}),
    "broken": ("link-failed", {"link": f"{HERE}/status?status=500+No"}),
    "a certificate of its own": ("link-certificate", {"link": "https://self-signed.example/song.wav"}),
    "a certificate by nobody": ("link-certificate", {"link": "https://unknown.example/song.wav"}),
    "a certificate of another": ("link-certificate", {"link": "https://wrong-name.example/song.wav"}),
    "a certificate that has expired": ("link-certificate", {"link": "https://expired.example/song.wav"}),
    "a redirect to a bad certificate": (
        "link-certificate",
        {"link": leads("redirect", "https://expired.example/song.wav", status=302)},
    ),
    "an element with a bad certificate": (
        "link-certificate",
        {"link": leads("element", "https://self-signed.example/song.wav")},
    ),
    "a segment with a bad certificate": (
        "link-certificate",
        {"link": leads("list.m3u8", "https://wrong-name.example/part.ts")},
    ),
    "cancelled": ("cancelled", {"link": f"{HERE}/slow-body.wav", "cancel": True}),
}
