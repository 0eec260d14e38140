# Two commands matter: `make demo` shows the road on a real project, `make test` runs everything that CI runs.
# Each sets up what it needs in .venv; PYTHON=python3.12 chooses the interpreter.
PYTHON ?= python3
BIN := .venv/bin
SET_UP := PYTHON="$(PYTHON)" scripts/setup.sh
# what was compiled is kept: else every worker and every process that a test starts compiles the same modules again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test quick lint fuzz bench bench-full census lock clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 12

demo: .venv/run.stamp ## release a real project onto a local site and prove it in three ways (under a minute)
	@$(BIN)/python scripts/demo.py

test: lint ## everything that CI runs: linters, then all tests
	@$(BIN)/pytest -q -n auto --dist worksteal

quick: .venv/dev.stamp ## the tests that need no client, no server and no index
	@$(BIN)/pytest -q -n auto --dist worksteal -m "not client and not index and not slow"

lint: .venv/dev.stamp ## ruff, mypy, import-linter, shell syntax
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@for script in scripts/*.sh .ci/run; do bash -n $$script || exit; done

fuzz: .venv/dev.stamp ## look for inputs that break a parser; SECONDS=30
	@mkdir -p .cache/fuzz && $(BIN)/python -m tests.fuzz.parsers .cache/fuzz -max_total_time=$(or $(SECONDS),30) -artifact_prefix=.cache/

bench: .venv/dev.stamp ## us and a peer side by side; rows in bench/results.json
	@$(BIN)/python -m bench.run
	@$(BIN)/python -m bench.faults
	@$(BIN)/python -m bench.channels

bench-full: .venv/dev.stamp ## the same and a trail of ten million entries (minutes, some gigabytes)
	@$(BIN)/python -m bench.run --full

census: .venv/dev.stamp ## docs/census.md: what the rules say of 33,646 real releases
	@$(BIN)/python -m scripts.census

lock: .venv/dev.stamp ## requirements/*.txt from *.in; ARGS=--upgrade moves the versions
	@scripts/lock.sh $(ARGS)

clean: ## remove what set-up, tests and demo made
	rm -rf .venv .cache demo dist build bench/results.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .nox
	find src tests scripts bench -name __pycache__ -prune -exec rm -rf {} +

# Set-up is done anew when a pin, the package's own metadata or the way of setting up changes.
.venv/dev.stamp: requirements/dev.txt requirements/fuzz.txt requirements/servers.txt requirements/setup.txt pyproject.toml scripts/setup.sh
	@$(SET_UP) dev
	@touch .venv/run.stamp $@

.venv/run.stamp: requirements/run.txt requirements/setup.txt pyproject.toml scripts/setup.sh
	@$(SET_UP) run
	@touch $@
