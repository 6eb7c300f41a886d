# `make chat` and `make test` work on a clean clone: each sets up what it needs first.

PYTHON ?= python3
PORT ?= 7860
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
CHROMIUM := $(shell command -v chromium || command -v chromium-browser)

.DEFAULT_GOAL := help
.PHONY: help setup chat ask index test check fix eval screenshots wheel clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

# A virtual environment without pip, left by a run that failed or was stopped, is made anew.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with PYTHON=python3.12 make …"; exit 1; }
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@touch $@

$(RUNTIME): pyproject.toml | $(VENV)/.pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DEV): pyproject.toml $(RUNTIME)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

setup: $(DEV)  ## make .venv with everything for running and developing

chat: $(RUNTIME)  ## index the shipped corpus and open the chat on 127.0.0.1:7860 (PORT=… changes it)
	$(BIN)/babelquote chat corpus --port $(PORT)

ask: override export Q := $(value Q)
ask: $(RUNTIME)  ## ask the shipped corpus: make ask Q="Berapa negara ikut serta?"
	@test -n "$$Q" || { echo 'usage: make ask Q="your question"'; exit 2; }
	@$(BIN)/babelquote index corpus > /dev/null
	@$(BIN)/babelquote ask -- "$$Q"

index: $(RUNTIME)  ## build or update the index of the shipped corpus
	$(BIN)/babelquote index corpus

test: $(DEV) chromium  ## run every test, two files at a time
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

check: $(DEV)  ## format, lint and types; edits nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: $(DEV)  ## format, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

eval: $(DEV)  ## score the gold questions of the dev split (ARGS="--report report.html")
	$(BIN)/python -m eval $(ARGS)

screenshots: $(DEV) chromium  ## take the pictures in docs/images from the running page
	$(BIN)/python -m tests.screenshots

wheel: $(DEV)  ## build dist/babelquote-….whl
	rm -rf build
	$(BIN)/python -m build --wheel --outdir dist .

clean:  ## remove the virtual environment, indexes and build leftovers
	rm -rf $(VENV) .babelquote build dist *.egg-info

# The browser test drives Debian's Chromium.
.PHONY: chromium
chromium:
ifeq ($(CHROMIUM),)
	@if command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq chromium > /dev/null; \
	else echo "The browser test needs Chromium. Install it (Debian: sudo apt-get install chromium) and run again."; exit 1; fi
endif
