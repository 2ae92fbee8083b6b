# Everything a person needs: `make run`, `make test`, `make check`. Each makes the environment if it is not there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 8080
# Tests mostly wait, for bots to start and servers to stop, so there is work for one more at a time than there are cores.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

PROOF := nice $(BIN)/python -m

.PHONY: run test check bench chaos proof pictures study words setup lock clean
.DEFAULT_GOAL := help

help:
	@echo "make run    start Afterglow: on the simulator at http://127.0.0.1:$(PORT), or on Telegram when .env holds a token"
	@echo "make test   run every test"
	@echo "make check  run the static checks: ruff, mypy, import contracts, bandit"
	@echo "make chaos  kill, fill the disk, freeze, restart, under load; ARGS=\"kills --kills 20\" takes a part"
	@echo "make bench  measure against baselines; ARGS=\"throughput --scale 0.1\" takes a part"
	@echo "make proof  the long proofs: all of make chaos and make bench, and the exports on ten thousand texts"
	@echo "make pictures  make the kept pictures of the pages and charts anew, and those of the docs; look at them before you keep them"
	@echo "make study  simulate patients and measure the alert rules; ARGS=\"--only kinds --people 200\" is a short one"
	@echo "make words  fit the points of words for screening notes to the sentences in tests/clinical/screening"
	@echo "make setup  create .venv with the command .venv/bin/afterglow"
	@echo "make lock   resolve the dependencies anew into requirements.lock and requirements-dev.lock"

setup: $(BIN)/afterglow

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Afterglow needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt install python3-venv"; exit 1; }

$(BIN)/afterglow: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(READY): requirements-dev.lock $(BIN)/afterglow
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: $(BIN)/afterglow
	@PORT=$(PORT) $(BIN)/afterglow start

test: $(READY)
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; echo "No Chromium here: the tests of the simulator's page are left out (Debian: apt install chromium)."
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive bot storage --configfile pyproject.toml

chaos: $(READY)
	$(PROOF) tests.chaos $(ARGS)

proof: $(READY)
	$(PROOF) tests.chaos
	$(PROOF) tests.benchmarks
	PROOF=1 $(BIN)/python -m pytest tests/exports

bench: $(READY)
	$(PROOF) tests.benchmarks $(ARGS)

study: $(READY)
	$(PROOF) tests.study $(ARGS)

words: $(READY)
	$(PROOF) tests.study.words $(ARGS)

pictures: $(READY)
	$(BIN)/python -m tests.exports.pictures

lock: $(BIN)/python
	$(BIN)/python -m pip install --quiet "pip-tools>=7.5"
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-header --all-build-deps --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-header --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) build *.egg-info
