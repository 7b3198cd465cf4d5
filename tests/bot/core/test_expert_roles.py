from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.expert_roles import ExpertRoles
from classifier.inference.manifest import PACKAGED_MODELS, read_manifest
from tests.bot.reports import certain

if TYPE_CHECKING:
    from pathlib import Path


def test_only_experts_with_a_weight_where_the_answer_is_decide() -> None:
    manifest = read_manifest(PACKAGED_MODELS)
    roles = ExpertRoles(PACKAGED_MODELS)
    for branch in manifest["pool"]["branches"]:
        report = replace(certain(jazz=0.9), genre=branch["genres"][0], model=manifest["name"])
        weighty = frozenset(str(name) for name, weight in branch["weights"].items() if weight > 0)
        assert roles.deciding(report) == weighty


def test_nobody_is_silenced_where_the_release_is_not_known(tmp_path: Path) -> None:
    report = certain(jazz=0.9)
    assert ExpertRoles(PACKAGED_MODELS).deciding(report) is None
    assert ExpertRoles(tmp_path).deciding(report) is None
