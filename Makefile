# elkwatch: `make demo` and `make test` need nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data
STAMP := $(VENV)/.setup-done

.DEFAULT_GOAL := help
.PHONY: help setup demo test check static docs bench bench-quality bench-detectors bench-ablation clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | \
	  awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(STAMP)  ## virtual environment .venv with all that development needs

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "elkwatch needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; \
	  exit 2; }
	@echo "Installing into $(VENV). torch with CUDA is about 3 GB the first time;"
	@echo "the README says how to use a smaller one."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check \
	  -c constraints.txt $(TORCH) -e '.[engine,preview,dev]'
	@touch $@

demo: setup  ## the whole product on this machine, nothing to configure
	$(BIN)/elkwatch demo

test: setup  ## every test, against a real Elasticsearch
	$(BIN)/python -m pytest

check: static  ## the static checks, then every test
	$(BIN)/python -m pytest

static: setup  ## ruff, strict mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup  ## the pages of docs/ that are written from the program
	$(BIN)/python -m elkwatch.reference docs

bench: setup  ## benchmarks, as ratios; what needs the logs in DATA only if they are there
	ELKWATCH_DATA=$(or $(ELKWATCH_DATA),$(wildcard $(DATA))) $(BIN)/python -m benchmarks

bench-quality: setup  ## every figure of docs/quality.md, from the logs in DATA
	$(BIN)/python -m benchmarks.quality $(DATA) --write docs/quality.md

bench-detectors: setup  ## every detector beside the others, into docs/detectors.md
	$(BIN)/python -m benchmarks.detectors $(DATA) --write docs/detectors.md

bench-ablation: setup  ## each option of the model on and off, into docs/model.md
	$(BIN)/python -m benchmarks.ablation $(DATA) --write docs/model.md

clean:  ## remove what setup and the tools made
	rm -rf $(VENV) *.egg-info .mypy_cache .pytest_cache .ruff_cache demo-out
