"""``study``: re-runs an earlier system, or tries models on a user's table, also with songs kept apart."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.commands.protocol_selection import missing_packages, number_of_processes
from classifier.inference.manifest import PACKAGED_MODELS

if TYPE_CHECKING:
    import argparse

    from classifier.studies.config import Study
    from classifier.studies.runner import Results

DEFAULT_DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
REPORT_PACKAGES: Final = ("jinja2", "pandas")
DESCRIPTION: Final = """\
Evaluates models by the protocol of a study, and again with songs and artists kept apart; writes a page with tables,
plots and downloads (report.html), and the same as PNG, CSV and JSON files. An interrupted run can be continued; the
same seeds give the same page.

hust        KNN, SVM, a network and their stacking, before and after a grid search
audionome   seven models with their printed settings
project4    eight genres, then pairs of genres; --table takes any table of that shape
echonest    Rock or Hip-Hop from eight numbers, balanced and not
FILE.toml   your own study, with paths relative to the file; see classifier/studies/shipped for examples

With --table alone, four common models are tried on your own table: a header line, a row per song or excerpt of a song,
and numbers in all columns except those that describe the row."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    models = Path(os.environ.get("MODEL_DIR") or PACKAGED_MODELS)
    parser.add_argument("study", nargs="?", metavar="NAME|FILE.toml", help="see above")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the tables (default: ../shared/data)")
    parser.add_argument("--table", type=Path, metavar="FILE.csv", help="your own table")
    parser.add_argument("--label", metavar="COLUMN", help="its column of genres (default: label)")
    parser.add_argument("--group", metavar="COLUMN", help="its column that identifies the song (default: song, if any)")
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="COLUMN",
        help="a column that is not a feature; may be repeated",
    )
    parser.add_argument(
        "--missing", choices=("refuse", "drop", "median"), help="rows with missing values (default: refuse)"
    )
    parser.add_argument("--quick", action="store_true", help="a few songs and settings only, as a test")
    parser.add_argument("--times", action="store_true", help="show training and prediction times on the page")
    parser.add_argument("--jobs", type=number_of_processes, default=-1, help="processes (default: one per core)")
    parser.add_argument(
        "--model-dir", type=Path, default=models, metavar="DIR", help="folder of the released model and its evaluation"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run a study; return the exit status."""
    if problem := missing_packages() or _missing_here():
        print(problem, file=sys.stderr)
        return 2
    # One thread per process and no processor-specific kernels, so that the same seeds give the same scores. This also
    # keeps TensorFlow from printing its build options to standard error.
    for name, value in {
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }.items():
        os.environ.setdefault(name, value)
    from classifier.studies.config import StudyError

    try:
        _check(arguments)
        study, folder = _declared(arguments)
        results = _measure(study, folder, arguments)
    except StudyError as error:
        print(error, file=sys.stderr)
        return 2
    _print_summary(results)
    print(arguments.out / "report.html")
    return 0


def _missing_here() -> str | None:
    missing = [name for name in REPORT_PACKAGES if find_spec(name) is None]
    return (
        f"A study needs packages that are not installed: {', '.join(missing)}. Install genre-bot[train]."
        if missing
        else None
    )


def _check(arguments: argparse.Namespace) -> None:
    """Check the arguments, and whether the report can be written, before the work starts."""
    from classifier.studies.config import StudyError

    if arguments.study is None and arguments.table is None:
        raise StudyError("Name a study, or your own table with --table; --help lists the studies.")
    own = {"--label": arguments.label, "--group": arguments.group, "--ignore": arguments.ignore}
    if arguments.table is None and (options := [option for option, value in own.items() if value]):
        raise StudyError(f"{options[0]} describes your own table; name it with --table.")
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=arguments.out):
            pass
    except OSError as error:
        raise StudyError(f"Nothing can be written to {arguments.out}: {error.strerror}.") from error


def _declared(arguments: argparse.Namespace) -> tuple[Study, Path]:
    """Return the requested study and the folder of its tables."""
    from classifier.studies import config, study_table

    if arguments.study is None:
        group = arguments.group or study_table.group_column(arguments.table)
        study = config.for_table(
            arguments.table,
            arguments.label or "label",
            group,
            ignore=tuple(arguments.ignore),
            missing=arguments.missing or "refuse",
        )
        folder = arguments.table.parent
    else:
        path = config.find(arguments.study)
        study = config.read(path)
        beside = DEFAULT_DATA if path.parent == config.BUNDLED_STUDIES else path.parent
        folder = arguments.data or beside
        if arguments.table is not None:
            group = arguments.group or study_table.group_column(arguments.table)
            study = config.with_table(study, arguments.table, arguments.label or "label", group, arguments.ignore)
            folder = arguments.table.parent
        if arguments.missing is not None:
            study = config.with_missing(study, arguments.missing)
    return (config.quick(study) if arguments.quick else study), folder


def _measure(study: Study, folder: Path, arguments: argparse.Namespace) -> Results:
    from classifier.studies import baseline_comparison, runner, study_report
    from classifier.studies.checkpoints import Checkpoints
    from classifier.studies.exploration import explore
    from classifier.studies.study_table import load

    table = load(study, folder)
    steps = Checkpoints(arguments.out / "steps", jobs=arguments.jobs)
    explored = explore(study, table, steps)
    results = runner.run(study, table, steps)
    known = baseline_comparison.held_out(arguments.model_dir) if study.data.released_model_knows else {}
    study_report.write(arguments.out, results, explored, known, command=_command(arguments), with_times=arguments.times)
    return results


def _command(arguments: argparse.Namespace) -> str:
    """Return the command line that reproduces the page, without local folders."""
    words = ["python", "-m", "classifier", "study"]
    if arguments.study is not None:
        words.append(Path(arguments.study).name)
    if arguments.table is not None:
        words += ["--table", arguments.table.name]
    for option in ("label", "group", "missing"):
        if (value := getattr(arguments, option)) is not None:
            words += [f"--{option}", value]
    for column in arguments.ignore:
        words += ["--ignore", column]
    words += [f"--{flag}" for flag in ("quick", "times") if getattr(arguments, flag)]
    return shlex.join([*words, "--out", "DIR"])


def _print_summary(results: Results) -> None:
    """Print a summary of the scores."""
    from rich.console import Console
    from rich.table import Table

    section = results.main
    table = Table("model", "published", *(protocol.title for protocol in section.protocols), box=None, pad_edge=False)
    for one in section.of("rows"):
        same = [section.figure(one.model, protocol.name) for protocol in section.protocols]
        printed = "" if one.printed is None else f"{one.printed:.3f}"
        table.add_row(one.model, printed, *("" if figure is None else f"{figure.accuracy:.3f}" for figure in same))
    Console(highlight=False).print(table)
