"""What a fresh process really imports. What the code may import at all is checked by import-linter (`make lint`)."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.conftest import REPOSITORY

TRAINING_PACKAGES = frozenset({"tensorflow", "keras", "librosa", "numba", "matplotlib", "pandas"})
CHAT_LIBRARIES = ("discord", "telegram")
EXAMPLE = REPOSITORY / "bot" / "web" / "examples" / "late-train.opus"


def fresh_process(code: str) -> set[str]:
    """Run code in a fresh process without training's packages; return all top-level modules it has imported by then.

    They are hidden rather than looked for afterwards, because scikit-learn imports pandas wherever it finds it.
    """
    hiding = f"""
import json, sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in {sorted(TRAINING_PACKAGES)}:
            raise ModuleNotFoundError(name + " is not there where songs are served", name=name)
sys.meta_path.insert(0, Hidden())
"""
    ending = "\nprint(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    output = subprocess.run(
        [sys.executable, "-c", hiding + code + ending], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return set(json.loads(output.splitlines()[-1]))


def test_serving_needs_no_training_package() -> None:
    imported = fresh_process(
        f"""
import importlib, pathlib, pkgutil
import bot, storage
for package in (bot, storage):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
from classifier.inference.executor import load_classifier
steps = []
answer = load_classifier(pathlib.Path("models"), 60)(pathlib.Path({str(EXAMPLE)!r}), steps.append)
assert answer.report.segments and steps
"""
    )
    assert {"numpy", "sklearn", "av", "bot"} <= imported


def test_the_command_line_needs_no_training_package() -> None:
    fresh_process(
        "from classifier.__main__ import main\n"
        "from classifier.datasets.feature_reader import SegmentReader\n"
        f"import pathlib; assert SegmentReader(600)(pathlib.Path({str(EXAMPLE)!r}), print)\n"
        "assert main(['classify', 'missing.mp3']) == 1"
    )


def test_waiting_for_workers_loads_no_model() -> None:
    imported = fresh_process("import classifier.inference.executor, classifier.commands.classify")
    assert imported & {"numpy", "scipy", "sklearn", "av", "rich"} == set()


def test_conversation_knows_no_chat_library() -> None:
    imported = fresh_process("import bot.core.conversation, bot.core.song_queue")
    assert imported & {*CHAT_LIBRARIES, "aiohttp"} == set()
