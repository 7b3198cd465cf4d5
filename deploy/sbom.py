"""Lists the installed packages as a CycloneDX 1.6 document (JSON), for the image: ``python deploy/sbom.py > FILE``.

The same packages give the same bytes: there is no time and no serial number in it. Needs nothing but Python.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from importlib.metadata import Distribution

# What packages call their licence where they do not give an SPDX expression.
SPDX: Final = {
    "Apache 2.0": "Apache-2.0",
    "APL 2": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "BSD, Public Domain": "BSD-2-Clause",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "LGPL": "LGPL-3.0-or-later",
    "MIT License": "MIT",
    "The MIT License (MIT)": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def licence_of(package: Distribution) -> str:
    """Return a package's licence as an SPDX expression where it can be told, else as the package words it."""
    about: Any = package.metadata
    given = (about.get("License-Expression") or about.get("License") or "").strip()
    classifiers = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if "License ::" in line]
    if not given or "\n" in given or len(given) > 100:
        given = classifiers[0] if classifiers else ""
    return SPDX.get(given, given)


def document() -> dict[str, Any]:
    """Return the list of what is installed beside this Python."""
    found = {re.sub(r"[-_.]+", "-", each.name).lower(): each for each in distributions()}
    components = [
        {
            "type": "library",
            "name": each.name,
            "version": each.version,
            "purl": f"pkg:pypi/{name}@{each.version}",
            "licenses": [{"expression": licence}] if (licence := licence_of(each)) else [],
        }
        for name, each in sorted(found.items())
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
