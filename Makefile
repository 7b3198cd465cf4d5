# `make run` and `make test` set up all they need from the lock files, on a machine that has only Python and make.
PYTHON ?= python3
SERVE := .venv-serve/.complete
DEV := .venv/.complete
PIP := -m pip --disable-pip-version-check --quiet install --require-hashes -r

.PHONY: run test coverage check lint lock bench musicnn wheel clean

run: $(SERVE)
	.venv-serve/bin/python -m bot

test: $(DEV) lint
	.venv/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Every test once more, nearly twice as slow, with the share of the code that runs in the tests' own processes.
coverage: $(DEV)
	.venv/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --cov

# What to run before each commit: lint, types and the fast tests.
check: $(DEV) lint
	.venv/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m "not slow"

lint: $(DEV)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy

bench: $(DEV)
	.venv/bin/python benchmarks/speed.py --profile --json build/speed.json
	.venv/bin/python benchmarks/organize.py --songs 300

# The wheel whose weights `python -m classifier train --musicnn build/musicnn-0.1.0-py3-none-any.whl` takes; it is never
# installed.
musicnn:
	$(PYTHON) -m pip --disable-pip-version-check --quiet download --no-deps --require-hashes --dest build \
		-r requirements/musicnn.txt

# The same commit gives the same wheel, byte by byte.
wheel: $(DEV)
	sh deploy/wheel.sh dist

lock:
	sh requirements/compile.sh

clean:
	rm -rf .venv .venv-serve

$(SERVE): requirements/serve.lock
	$(PYTHON) -m venv .venv-serve
	.venv-serve/bin/python $(PIP) requirements/serve.lock
	touch $@

$(DEV): requirements/dev.lock
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP) requirements/dev.lock --no-compile
	-.venv/bin/python -m compileall -qq -j 0 -x '/tests/' .venv/lib
	touch $@
