# `make` alone prints what it can do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true
export AWS_DEFAULT_REGION ?= us-west-2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTHON ?= python3
BIN := .venv/bin
SAM := .venv-sam/bin/sam
LAYER := layers/infusion_orders
PACKAGE := $(LAYER)/infusion_orders
CODE := $(PACKAGE) functions tests benchmarks scripts
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make setup PYTHON=python3.13")

.PHONY: help setup run dynamodb test check lint types imports template generate build bench lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed ## install everything into .venv (again only when a lock changed)

.venv/.installed: pyproject.toml requirements-dev.lock
	@$(PYTHON) -c '$(NEW_ENOUGH)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv-sam/.installed: requirements-sam.lock
	@$(PYTHON) -c '$(NEW_ENOUGH)'
	$(PYTHON) -m venv .venv-sam
	.venv-sam/bin/pip install --quiet --require-hashes --no-deps --requirement requirements-sam.lock
	@touch $@

run: setup ## the partner API on 127.0.0.1:3000 with an embedded table, and one validated order
	$(BIN)/infusion-orders serve

dynamodb: setup ## a local table server with the default rule set, for `sam local`
	$(BIN)/infusion-orders dynamodb

test: setup ## all tests that can run here
	$(BIN)/pytest

check: lint types imports template ## style, types, import direction, templates, generated files
	$(BIN)/infusion-orders docs --check
	$(BIN)/python scripts/check_locks.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy $(CODE)

imports: setup
	PYTHONPATH=$(LAYER) $(BIN)/lint-imports --no-logo

template: setup .venv-sam/.installed
	$(SAM) validate --lint --template template.yaml
	$(BIN)/cfn-lint template.yaml
	@mkdir -p .cache
	.venv-sam/bin/python scripts/transform_template.py template.yaml > .cache/transformed.json
	$(BIN)/cfn-lint --ignore-checks W1020 -- .cache/transformed.json

generate: setup ## write the documents and schemas that are made from code
	$(BIN)/infusion-orders docs

build: .venv-sam/.installed ## build functions and layer with SAM
	$(SAM) build --template template.yaml

bench: setup ## time the decision path
	$(BIN)/python benchmarks/decision_path.py

lock: ## resolve the dependency locks anew (needs uv)
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --custom-compile-command 'make lock' pyproject.toml --output-file $(LAYER)/requirements.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --custom-compile-command 'make lock' pyproject.toml --extra cli --extra dev --output-file requirements-dev.lock
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --custom-compile-command 'make lock' requirements-sam.in --output-file requirements-sam.lock

clean: ## remove what can be made again
	rm -rf .venv .venv-sam .aws-sam .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
