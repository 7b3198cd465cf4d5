from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from classifier.studies import config, model_runner
from classifier.studies.config import StudyError

if TYPE_CHECKING:
    from pathlib import Path

MINIMAL: dict[str, Any] = {
    "name": "mine",
    "title": "Mine",
    "about": "A study.",
    "data": {"table": "mine.csv", "label": "genre"},
    "models": [{"name": "KNN", "kind": "knn"}],
}


def with_model(**more: Any) -> dict[str, Any]:
    return {**MINIMAL, "models": [{"name": "KNN", "kind": "knn", **more}]}


@pytest.mark.parametrize("name", config.shipped_names())
def test_every_shipped_study_can_be_read_and_its_settings_exist(name: str) -> None:
    study = config.read(config.find(name))
    assert study.name == name
    model_runner.check(study)


def test_four_studies_are_shipped() -> None:
    assert config.shipped_names() == ["audionome", "echonest", "hust", "project4"]


def test_hust_searches_the_grids_that_were_printed() -> None:
    models = {model.name: model for model in config.read(config.find("hust")).models}
    knn, svm, network = models["KNN, after"].grid, models["SVM, after"].grid, models["Network, after"].settings
    assert knn == {"n_neighbors": list(range(1, 9)), "p": [1, 2, 3], "weights": ["uniform", "distance"]}
    kernels = ["poly", "rbf", "sigmoid"]
    assert svm == {"C": [1, 10, 100, 200, 500], "kernel": kernels, "gamma": ["scale", "auto"]}
    assert (network["layers"], network["units"]) == (5, 300)
    printed = [model.printed for model in models.values()]
    assert printed == [0.80, 0.70, 0.80, 0.84, 0.86, 0.81, 0.78, 0.88]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({**MINIMAL, "colour": "red"}, "colour: a study knows no such thing."),
        ({**MINIMAL, "models": []}, "models: Tuple should have at least 1 item"),
        ({key: value for key, value in MINIMAL.items() if key != "data"}, "data: this is missing."),
        (with_model(of=["SVM"]), "'of' names the models that a stacking stands on"),
        (with_model(choose_by="validation", grid={"p": [1, 2]}), "the split has no validation part"),
        ({**MINIMAL, "models": [*MINIMAL["models"]] * 2}, "two models are called KNN."),
        ({**MINIMAL, "cleaning": {"drop": "("}}, "is not a pattern"),
        ({**MINIMAL, "split": {"test": 1.5}}, "split.test: Input should be less than 0.9."),
        (
            {**MINIMAL, "models": [*MINIMAL["models"], {"name": "Stack", "kind": "stacking", "of": ["Oak"]}]},
            "Stack stands on Oak, which is not a model that can be stacked",
        ),
    ],
)
def test_what_a_study_cannot_say_is_told_in_a_sentence(content: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError) as caught:
        config.parse(content, "mine.toml")
    sentence = str(caught.value)
    assert sentence.startswith("mine.toml: ")
    assert said in sentence
    assert "\n" not in sentence


def test_a_setting_that_a_model_does_not_have_is_named_with_those_it_has() -> None:
    study = config.parse(with_model(settings={"neighbours": 3}), "mine.toml")
    with pytest.raises(StudyError, match=r"KNN: knn has no setting neighbours; it has algorithm, .*n_neighbors"):
        model_runner.check(study)


def test_a_study_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(StudyError, match="There is no study hast: name one of audionome, echonest, hust, project4"):
        config.find("hast")


def test_a_file_that_is_not_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(StudyError, match=r"broken.toml is not TOML: "):
        config.read(tmp_path / "broken.toml")
