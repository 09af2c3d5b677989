# `make` alone prints what it can do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true
export AWS_DEFAULT_REGION ?= us-west-2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Where Python is not given: the first of these that works and is new enough.
PYTHONS := python3 python3.13 python3.12 python3.11 python3.14
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(or $(shell for python in $(PYTHONS); do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done || true),python3)

# What `make build` builds for, and where.
RUNTIME ?= python3.13
ARCHITECTURE ?= arm64
BUILD := .aws-sam/build
LOCAL_BUILD := .aws-sam/local
LOCAL_ARCHITECTURE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

BIN := .venv/bin
SAM := .venv-sam/bin/sam
LAYER := layers/infusion_orders
PACKAGE := $(LAYER)/infusion_orders
CODE := $(PACKAGE) functions tests benchmarks scripts
# uv resolves the locks, in a virtual environment that is thrown away; RELOCK=--upgrade takes newer versions.
RELOCK ?=
COMPILE := .cache/uv/bin/uv pip compile $(RELOCK) --quiet --universal --generate-hashes \
	--python-version 3.11 --no-annotate --custom-compile-command 'make lock'

define PYTHON_IS_NEW_ENOUGH
$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
	echo 'Python 3.11 or newer is needed, and "$(PYTHON)" is none: install one, or name it: make PYTHON=/path/to/python3.13' >&2; \
	exit 1; }
endef

.PHONY: help setup run dynamodb test check lint types imports template generate build build-local bench fuzz diagnoses lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed ## install everything into .venv (again only when a lock changed)

.venv/.installed: pyproject.toml requirements-dev.lock
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv-sam/.installed: requirements-sam.lock
	@$(PYTHON_IS_NEW_ENOUGH)
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
	$(BIN)/cfn-lint --ignore-checks W1020 W2001 -- .cache/transformed.json

generate: setup ## write the documents and schemas that are made from code
	$(BIN)/infusion-orders docs

# Not cached: SAM does not know what the layer's make reads from the environment.
build: .venv-sam/.installed ## build functions and layer (RUNTIME=python3.13 ARCHITECTURE=arm64)
	LAYER_RUNTIME=$(RUNTIME) LAYER_ARCHITECTURE=$(ARCHITECTURE) LAYER_PIP='$(CURDIR)/.venv-sam/bin/python -m pip' \
	$(SAM) build --no-cached --template template.yaml --build-dir $(BUILD) \
	  --parameter-overrides Runtime=$(RUNTIME) Architecture=$(ARCHITECTURE)

build-local: ## the same for this machine's processor and `sam local`, in .aws-sam/local
	@$(MAKE) --no-print-directory build BUILD=$(LOCAL_BUILD) ARCHITECTURE=$(LOCAL_ARCHITECTURE)
	.venv-sam/bin/python scripts/local_template.py $(LOCAL_BUILD) \
	  Runtime=$(RUNTIME) Architecture=$(LOCAL_ARCHITECTURE)

bench: setup ## time the decision path, and a replay of 100,000 decisions
	$(BIN)/python benchmarks/decision_path.py
	$(BIN)/python benchmarks/replay.py

FUZZ ?= 100000

fuzz: setup ## decide 100,000 random orders, and send 100,000 hostile events (FUZZ=1000 for fewer): none may fail
	$(BIN)/python -m tests.fuzz.orders --orders $(FUZZ)
	$(BIN)/python -m tests.fuzz.events --events $(FUZZ)

# Not part of `setup`: only who renews the table needs the package.
diagnoses: ## write the table of diagnoses anew from the pinned release of ICD-10-CM
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv .cache/diagnoses
	.cache/diagnoses/bin/pip install --quiet --require-hashes --no-deps --requirement scripts/build_diagnoses.lock
	PYTHONPATH=$(LAYER) .cache/diagnoses/bin/python scripts/build_diagnoses.py rules/home-infusion/tables/diagnoses.csv
	rm -rf .cache/diagnoses

lock: ## resolve the dependency locks anew (RELOCK=--upgrade for newer versions)
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/pip install --quiet uv
	$(COMPILE) pyproject.toml --output-file $(LAYER)/requirements.lock
	$(COMPILE) pyproject.toml --extra cli --extra dev --output-file requirements-dev.lock
	$(COMPILE) requirements-sam.in --output-file requirements-sam.lock
	rm -rf .cache/uv

clean: ## remove what can be made again
	rm -rf .venv .venv-sam .aws-sam .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
