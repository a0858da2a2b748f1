# Every command in a line or two; what is behind it lives in whaledo and scripts/, where tests reach it.

# Settings: `make score LABELS=labels.csv`, or `LABELS=labels.csv make score`.
DATA ?= data
SUBMISSION ?= submission
LABELS ?=
PYTHON ?= python3
ENGINE ?= auto
CPU_OR_GPU ?= $(shell nvidia-smi >/dev/null 2>&1 && echo gpu || echo cpu)
PROFILE ?= $(CPU_OR_GPU)
SUBMISSION_IMAGE ?= whaledo/runtime:$(PROFILE)
SKIP_GPU ?= false
BLOCK_INTERNET ?= true
# These only behind make, so that a variable left in a shell can't overwrite or change anything.
FORCE :=
UPGRADE :=
ARGS :=

BIN := .venv/bin
ASKED = $(if $(filter true false,$($(1))),$(filter $(2),$($(1))),$(error $(1) is `$($(1))`: say true or false))
NO_GPU = $(if $(call ASKED,SKIP_GPU,true),--no-gpu)
GIVEN = $(filter-out file undefined default,$(origin $(1)))
# What a run is started with: the engine and the profile only where they are named, so that `auto` finds what is here.
RUN_WITH = --engine $(ENGINE) \
  $(if $(call GIVEN,PROFILE)$(call GIVEN,CPU_OR_GPU),--profile $(PROFILE)) \
  $(if $(call GIVEN,SUBMISSION_IMAGE),--image "$(SUBMISSION_IMAGE)") \
  $(NO_GPU) $(if $(call ASKED,BLOCK_INTERNET,false),--network host)
CONTAINER = $(if $(filter auto bubblewrap,$(ENGINE)),docker,$(ENGINE))
IN_IMAGE = --engine $(CONTAINER) --profile $(PROFILE) --image "$(SUBMISSION_IMAGE)"

PACK := $(BIN)/whaledo pack -o "$(SUBMISSION)/submission.zip" $(if $(FORCE),--force)
COMPILE := $(BIN)/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet $(if $(UPGRADE),--upgrade)
FOR_TOOL := --universal --fork-strategy fewest pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup tool demo pull build pack-quickstart pack-benchmark pack-submission test-submission \
  test-container interact-container score test attack lint bench lock clean

help: ## Show the settings and the commands
	@printf 'Settings:\n'
	@printf '  %-18s%-14s%s\n' DATA '$(DATA)' 'folder of the challenge: images, metadata.csv, queries, databases'
	@printf '  %-18s%-14s%s\n' SUBMISSION '$(SUBMISSION)' 'folder of submission.zip, and of what a run leaves'
	@printf '  %-18s%-14s%s\n' LABELS '$(LABELS)' 'labels to score with, where they are not in DATA'
	@printf '  %-18s%-14s%s\n' FORCE '$(FORCE)' 'FORCE=1 lets packing overwrite a submission.zip'
	@printf '  %-18s%-14s%s\n' ENGINE '$(ENGINE)' 'auto, bubblewrap, docker or podman'
	@printf '  %-18s%-14s%s\n' CPU_OR_GPU '$(CPU_OR_GPU)' 'which image: gpu where nvidia-smi shows one'
	@printf '  %-18s%-14s%s\n' PROFILE '$(PROFILE)' 'the same with core: the packages of the image'
	@printf '  %-18s%-14s%s\n' SKIP_GPU '$(SKIP_GPU)' 'true: show a run no GPU'
	@printf '  %-18s%-14s%s\n' BLOCK_INTERNET '$(BLOCK_INTERNET)' 'false: let a run reach the network'
	@printf '\nImage: %s\n' '$(SUBMISSION_IMAGE)'
	@if [ -x $(BIN)/whaledo ]; then $(BIN)/whaledo image list | sed 's/^/  /'; fi
	@printf '\nCommands:\n'
	@sed -n 's/^\([a-z-]*\):.* ## /  \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

setup: ## Make .venv, build the core environment, see to bubblewrap; what is there is left alone
	@$(PYTHON) scripts/setup.py

tool:
	@$(PYTHON) scripts/setup.py --tool

demo: setup ## Draw a small challenge, run the quickstart on it walled in, score it, write a report
	@$(BIN)/whaledo demo

pull: tool ## Fetch the image from where it is published
	@$(BIN)/whaledo image pull $(IN_IMAGE)

build: tool ## Build the image of PROFILE from this checkout (BASE_IMAGE=... to build on another)
	@$(BIN)/whaledo image build $(IN_IMAGE)

pack-quickstart: tool ## Pack submission_quickstart/ into submission/submission.zip
	@$(PACK) submission_quickstart

pack-benchmark: tool ## Pack submission_benchmark/ into submission/submission.zip
	@$(PACK) submission_benchmark

pack-submission: tool ## Pack submission_src/ into submission/submission.zip
	@$(PACK) submission_src

test-submission: setup ## Run submission/submission.zip walled in on DATA, score what it wrote, write a report
	@$(BIN)/whaledo run "$(SUBMISSION)/submission.zip" --data "$(DATA)" --output "$(SUBMISSION)" $(RUN_WITH) $(if $(LABELS),,--score)
	@$(if $(LABELS),$(BIN)/whaledo score "$(SUBMISSION)/submission.csv" "$(LABELS)" --data "$(DATA)")
	@$(BIN)/whaledo report --output "$(SUBMISSION)" --data "$(DATA)" $(if $(LABELS),--labels "$(LABELS)")

test-container: tool ## Run the image's own tests in it, walled in
	@$(BIN)/whaledo env test $(IN_IMAGE) $(NO_GPU)

interact-container: tool ## Open a shell in the container that a run would get, with network
	@$(BIN)/whaledo image shell --data "$(DATA)" $(IN_IMAGE) $(NO_GPU) $(if $(wildcard $(SUBMISSION)/submission.zip),--submission "$(SUBMISSION)/submission.zip")

score: tool ## Check and score submission/submission.csv
	@$(BIN)/whaledo score "$(SUBMISSION)/submission.csv" $(if $(LABELS),"$(LABELS)",--data "$(DATA)")

test: setup ## Run the tests (ARGS="-k pack" for some of them)
	@$(BIN)/python -m pytest --ignore=tests/hostile $(ARGS)

attack: setup ## Attack the walls of every engine that is here (ARGS="-k bubblewrap-us" for one)
	@$(BIN)/python -m pytest tests/hostile $(ARGS)

lint: tool ## Check style, formatting and types
	@$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/mypy

bench: setup ## Measure: every script in benchmarks/
	@for benchmark in benchmarks/*.py; do $(BIN)/python "$$benchmark" || exit; done

lock: tool ## Compile all locks anew, keeping the versions that still fit (UPGRADE=1: the newest)
	@$(COMPILE) $(FOR_TOOL) --output-file requirements/whaledo.lock
	@$(COMPILE) $(FOR_TOOL) --group dev --constraints requirements/whaledo.lock --output-file requirements/dev.lock
	@$(BIN)/whaledo env lock $(if $(UPGRADE),--upgrade)

clean: ## Remove caches and built wheels, nothing that takes long to make
	@find . \( -path ./.venv -o -path ./.git -o -path ./data \) -prune -o -name __pycache__ -type d -exec rm -rf {} +
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
