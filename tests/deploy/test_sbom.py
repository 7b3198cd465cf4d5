"""What the image consists of is listed, and every licence in it is one that was looked at."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
# Free to use and pass on in an image beside the MIT code of the project. mutagen (GPL) tags files for `organize`: who
# passes the image on has to offer its source.
ACCEPTED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-CMU", "PSF-2.0", "Unlicense"),
    *("Zlib", "MPL-2.0", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "GPL-2.0-or-later"),
}


def _listed() -> str:
    command = [sys.executable, "deploy/sbom.py"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def test_the_list_is_the_same_every_time_and_names_every_package_of_the_image_with_an_accepted_licence() -> None:
    text = _listed()
    assert text == _listed()
    listed = {each["purl"].partition("@")[0].rpartition("/")[2]: each for each in json.loads(text)["components"]}
    lock = (REPOSITORY / "requirements" / "serve.lock").read_text(encoding="utf-8")
    wanted = [Requirement(line) for line in re.findall(r"^([\w.-]+==[^\\\n]*)", lock, flags=re.MULTILINE)]
    served = {canonicalize_name(each.name) for each in wanted if each.marker is None or each.marker.evaluate()}
    assert served
    assert served <= listed.keys()
    for name in served:
        [licence] = listed[name]["licenses"]
        assert set(re.split(r"\s+(?:AND|OR)\s+|[()]", licence["expression"])) - {""} <= ACCEPTED, (name, licence)
