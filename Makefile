# Everything a developer or a user of the checkout types. `make` lists it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The index to take torch from; empty means pip's own. A CPU-only index saves gigabytes of GPU libraries.
TORCH_INDEX_URL ?=
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: help setup demo check test prove bench docs clean

help:  ## list what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.installed  ## make .venv and install Vicinal with its tools

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		$(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL)) $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[all,dev]'
	touch $@

demo: setup  ## the founding example, on synthetic ECGs, in about a minute
	$(BIN)/vicinal demo

check: setup  ## format, lint, types, quick tests: under 3 minutes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -m "not slow and not prove and not gpu"

test: check  ## what CI runs: check, then the slow tests, the documentation and the wheel
	$(BIN)/python -m pytest -q -m "slow and not prove and not gpu"

prove: setup  ## the long proofs, before a claim is made
	$(BIN)/python -m pytest -q -m "prove"

bench: setup  ## how fast networks train and run here, against plain PyTorch
	$(BIN)/vicinal bench

docs: setup  ## write the generated reference pages
	$(BIN)/python scripts/write_reference.py

clean:  ## remove the environment and what tools left behind
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
