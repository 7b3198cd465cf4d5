"""What a process that uses only storage really imports; import-linter checks what the code may import."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import REPOSITORY

FORBIDDEN = {"bot", "classifier", "links", "alembic", "pandas", "pyarrow", "scipy", "sklearn"}


def test_importing_storage_imports_no_other_package_of_ours_and_nothing_heavy() -> None:
    script = "import sys, storage.__main__; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert not FORBIDDEN & set(done.stdout.split())
