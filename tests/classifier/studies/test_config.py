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


@pytest.mark.parametrize("name", config.bundled_names())
def test_every_bundled_study_is_valid(name: str) -> None:
    study = config.read(config.find(name))
    assert study.name == name
    model_runner.check(study)


def test_four_studies_are_bundled() -> None:
    assert config.bundled_names() == ["audionome", "echonest", "hust", "project4"]


def test_hust_searches_the_published_grids() -> None:
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
        ({**MINIMAL, "colour": "red"}, "colour: this is not a setting of a study."),
        ({**MINIMAL, "models": []}, "models: Tuple should have at least 1 item"),
        ({key: value for key, value in MINIMAL.items() if key != "data"}, "data: this is missing."),
        (with_model(of=["SVM"]), "'of' names the base models of a stacking model"),
        (with_model(choose_by="validation", grid={"p": [1, 2]}), "the split has no validation set"),
        ({**MINIMAL, "models": [*MINIMAL["models"]] * 2}, "two models have the name KNN."),
        ({**MINIMAL, "cleaning": {"drop": "("}}, "is not a pattern"),
        ({**MINIMAL, "split": {"test": 1.5}}, "split.test: Input should be less than 0.9."),
        (
            {**MINIMAL, "models": [*MINIMAL["models"], {"name": "Stack", "kind": "stacking", "of": ["Oak"]}]},
            "Stack is stacked on Oak, which is not one of the other models",
        ),
    ],
)
def test_an_invalid_study_is_refused_with_one_sentence(content: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError) as caught:
        config.parse(content, "mine.toml")
    sentence = str(caught.value)
    assert sentence.startswith("mine.toml: ")
    assert said in sentence
    assert "\n" not in sentence


def test_an_unknown_setting_is_reported_with_the_known_ones() -> None:
    study = config.parse(with_model(settings={"neighbours": 3}), "mine.toml")
    with pytest.raises(StudyError, match=r"KNN: knn has no setting neighbours; it has algorithm, .*n_neighbors"):
        model_runner.check(study)


def test_an_unknown_study_is_reported_with_the_known_ones() -> None:
    with pytest.raises(StudyError, match="There is no study hast: name one of audionome, echonest, hust, project4"):
        config.find("hast")


def test_an_invalid_toml_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(StudyError, match=r"broken.toml is not TOML: "):
        config.read(tmp_path / "broken.toml")
