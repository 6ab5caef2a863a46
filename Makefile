# What can be done here: `make` lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help up down preview render test check bench tools venv ready clean
MAKEFLAGS += --no-print-directory

# The Pulumi stack: lab (the rehearsal on this machine) or prod (the real homelab).
STACK ?= lab
# Any Python from 3.11 on; only the virtual environment is made with it.
PYTHON ?= python3
export PYTHON

# Most tests wait for containers, agents and deadlines: several a processor.
WORKERS ?= $(shell echo $$((3 * $$(nproc))))

HERE := source tools/env.sh &&

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ready ## rehearse: a simulated Komodo Core on this machine, and the whole fleet in it
	@$(HERE) homeops lab up

down: ready ## remove everything that `make up` made
	@$(HERE) homeops lab down

preview: ready ## show what would change (STACK=lab, or STACK=prod: offline)
	@tools/preview $(STACK)

render: ready ## write docker/komodo-resources/*.toml from the fleet
	@$(HERE) homeops render

test: ready ## run the tests
	@$(HERE) python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: ready ## lint, format, types, layers, shell scripts, secrets, rendered TOML
	@$(HERE) ruff check .
	@$(HERE) ruff format --check .
	@$(HERE) pyright
	@$(HERE) lint-imports
	@$(HERE) homeops secrets check
	@$(HERE) homeops render --check
	@shellcheck tools/install tools/venv tools/preview tools/env.sh .ci/run tools/hooks/pre-commit tools/plugins/pulumi-resource-*

bench: ready ## measure, print a table, write bench/results.json
	@$(HERE) python -m bench

tools: ## bring pulumi, sops, age and docker compose (the machine's, where they fit)
	@tools/install

venv: ## make the virtual environment
	@tools/venv

ready: tools venv

clean: ## remove .venv, .tools, .state and .lab
	@rm -rf .venv .tools .state .lab
