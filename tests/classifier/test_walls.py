"""The walls between the rooms hold, by what the code says and by what a fresh process really imports."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRAINING_PACKAGES = frozenset({"tensorflow", "keras", "librosa", "numba", "matplotlib", "pandas"})
TRAINING_ROOMS = (
    "classifier.training",
    "classifier.studies",
    "classifier.commands",  # imported one at a time, by the command that is run
)
ROOMS = ("bot", "classifier", "storage")
CHAT_LIBRARIES = ("discord", "telegram")
EXAMPLE = REPOSITORY / "bot" / "web" / "examples" / "mirror-ball.opus"


def module_name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Yield every module that a file imports anywhere, be it only for the type checker."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*above, *([node.module] if node.module else [])])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"import_module", "importlib.import_module"}:
            yield ast.unparse(node.args[0]).strip("f\"'")


def imports_within(room: str) -> Iterator[tuple[str, str]]:
    for path in sorted((REPOSITORY / room).rglob("*.py")):
        yield from ((module_name(path), imported) for imported in imports_of(path))


def lies_in(module: str, *rooms: str) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


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


@pytest.mark.parametrize(("room", "others"), [("classifier", ("bot", "storage")), ("storage", ("bot", "classifier"))])
def test_a_room_imports_nothing_from_rooms_that_it_must_not_know(room: str, others: tuple[str, ...]) -> None:
    found = list(imports_within(room))
    assert found
    assert [(module, imported) for module, imported in found if lies_in(imported, *others)] == []


def test_links_are_fetched_by_the_bot_and_for_data_sets_only() -> None:
    strangers = [
        (module, imported)
        for room in ("classifier", "storage")
        for module, imported in imports_within(room)
        if lies_in(imported, "links") and not lies_in(module, "classifier.datasets", "classifier.commands.dataset")
    ]
    assert strangers == []


def test_links_import_no_other_room() -> None:
    found = {imported for _, imported in imports_within("links") if lies_in(imported, *ROOMS)}
    assert found == set()


@pytest.mark.parametrize("library", CHAT_LIBRARIES)
def test_a_chat_library_is_imported_by_its_own_chat_only(library: str) -> None:
    strangers = [
        (module, imported)
        for room in ("bot", "classifier", "links", "storage")
        for module, imported in imports_within(room)
        if lies_in(imported, library) and not lies_in(module, f"bot.{library}")
    ]
    assert strangers == []


def test_training_packages_are_imported_by_training_only() -> None:
    strangers = [
        (module, imported)
        for room in ("bot", "classifier", "links", "storage")
        for module, imported in imports_within(room)
        if lies_in(imported, *TRAINING_PACKAGES, "classifier.training", "classifier.studies")
        and not lies_in(module, *TRAINING_ROOMS)
    ]
    assert strangers == []


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
        f"from classifier.commands.features import FeatureReader\n"
        f"import pathlib; assert FeatureReader(60)(pathlib.Path({str(EXAMPLE)!r}), print)\n"
        "assert main(['classify', 'missing.mp3']) == 1"
    )


def test_waiting_for_workers_loads_no_model() -> None:
    imported = fresh_process("import classifier.inference.executor, classifier.commands.classify")
    assert imported & {"numpy", "scipy", "sklearn", "av", "rich"} == set()


def test_conversation_knows_no_chat_library() -> None:
    imported = fresh_process("import bot.core.conversation, bot.core.song_queue")
    assert imported & {*CHAT_LIBRARIES, "aiohttp"} == set()
