"""What the image consists of is listed, and every licence in it is one that was looked at."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
# Free to use and pass on beside the MIT code of the project.
ACCEPTED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-CMU", "PSF-2.0", "Unlicense"),
    *("Zlib", "MPL-2.0", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
}
# The README says of each what follows for whoever passes the whole on.
UNDER_GPL = {"mutagen"}
GPL_LIBRARIES = ("x264", "x265")
"""What PyAV's wheels bring along that is under the GPL, too."""


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
        if name in UNDER_GPL:
            assert licence["expression"] == "GPL-2.0-or-later"
            continue
        assert set(re.split(r"\s+(?:AND|OR)\s+|[()]", licence["expression"])) - {""} <= ACCEPTED, (name, licence)


def test_the_readme_names_everything_that_is_under_the_gpl() -> None:
    licence = (REPOSITORY / "README.md").read_text(encoding="utf-8").partition("## Licence")[2]
    brought = [path.name for path in (distribution("av").locate_file("av.libs")).iterdir()]  # type: ignore[attr-defined]
    bundled = {name for name in GPL_LIBRARIES if any(file.startswith(f"lib{name}") for file in brought)}
    assert all(name in licence for name in UNDER_GPL | bundled)
