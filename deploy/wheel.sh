#!/bin/sh
# Builds the wheel of a commit: `sh deploy/wheel.sh [FOLDER [COMMIT]]`. The same commit gives the same bytes, wherever and
# whenever it is built with the same setuptools: files come from git alone, and their times and modes are fixed.
set -eu
folder=$(mkdir -p "${1:-dist}" && cd "${1:-dist}" && pwd)
commit=${2:-HEAD}
cd "$(dirname "$0")/.."
umask 022
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git archive "$commit" -- pyproject.toml README.md LICENSE bot classifier common links storage models |
  tar --extract --no-same-permissions --directory "$tree"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
export SOURCE_DATE_EPOCH
"${PYTHON:-.venv/bin/python}" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$folder" "$tree"
