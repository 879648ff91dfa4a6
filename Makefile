# Everything a machine needs is set up by the targets themselves; a second run skips what is
# done. Needed: Debian (or another Linux), Python 3.11 or newer with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
BENCH := $(VENV)/.bench
# The FinOps Foundation's validator wants Python 3.12; without one its rules are restated in a test.
FOCUS := $(if $(shell command -v python3.12),$(VENV)/.focus/.ready)
FRONT := node_modules/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check screenshots bench chaos format lock clean

help: ## what there is
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

demo: $(RUNTIME) $(FRONT) ## the whole product with a simulated PagerDuty (ONCE=1: print and exit)
	@$(BIN)/seatwise demo $(if $(ONCE),--once) $(if $(SEED),--seed $(SEED)) $(if $(PORT),--port $(PORT))

# In two processes, of which one that runs out of tests takes some of the other's. ARGS says how
# else: `ARGS="-x tests/sync"` in one process, `ARGS="--numprocesses=4 --dist=worksteal"` in four.
test: $(DEV) $(FRONT) build/chromium $(FOCUS) ## every test, with a real PostgreSQL and a real Chromium
	@SEATWISE_CHROMIUM="$$(cat build/chromium)" $(BIN)/python -m pytest \
		$(or $(ARGS),--numprocesses=2 --dist=worksteal)

check: $(DEV) $(FRONT) ## format, lint, types, import contracts, security lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive seatwise

SHOWN := spend info members member usage history settings

screenshots: test ## take the pictures in docs/images anew, from the tests
	@mkdir -p docs/images
	@for name in $(SHOWN); do \
		cp build/screenshots/$$name.png build/screenshots/$$name-dark.png docs/images/ || exit 1; \
	done

bench: $(BENCH) $(FRONT) build/chromium ## measure, and write docs/benchmarks.md (RUNS=3: of each figure)
	@SEATWISE_CHROMIUM="$$(cat build/chromium)" $(BIN)/python -m bench $(RUNS)

chaos: $(DEV) ## kill workers and databases in the middle of everything (SEED=1 KILLS=1000 ONLY=syncs)
	@nice $(BIN)/python -W ignore -m tests.chaos $(SEED) $(if $(KILLS),--kills $(KILLS)) \
		$(if $(ONLY),--only $(ONLY))

format: $(DEV) ## mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

LOCK := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --upgrade

lock: $(DEV) ## pin the newest versions, with hashes and without addresses
	@$(LOCK) -o requirements/runtime.txt pyproject.toml requirements/build.in
	@$(LOCK) -o requirements/dev.txt requirements/dev.in
	@$(LOCK) -o requirements/bench.txt requirements/bench.in
	@$(LOCK) -o requirements/node.txt requirements/node.in
	@$(LOCK) -o requirements/focus.txt requirements/focus.in

clean: ## forget everything that the other targets made
	@rm -rf $(VENV) node_modules build

# Debian keeps the means to make virtual environments in a package of its own.
VENV_PACKAGE = { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && \
	apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; } || \
	{ echo "Install the package python3-venv first: sudo apt-get install python3-venv" >&2; exit 1; }

NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --update-notifier=false

$(RUNTIME): requirements/runtime.txt pyproject.toml
	@echo "Setting up Python packages …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(VENV_PACKAGE)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements/runtime.txt
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	@echo "Setting up Python packages for tests …"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# A peer to compare with, which nothing but the benchmark needs.
$(BENCH): $(DEV) requirements/bench.txt
	@echo "Setting up Python packages for the benchmark …"
	@$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@

# Where it cannot be set up the tests go on, and say that they went without it.
$(VENV)/.focus/.ready: requirements/focus.txt requirements/focus-validator.txt | $(RUNTIME)
	@echo "Setting up the validator of FOCUS …"
	@rm -rf $(@D) && python3.12 -m venv $(@D) && \
		$(@D)/bin/pip install $(FOCUS_PIP) -r requirements/focus.txt && \
		$(@D)/bin/pip install $(FOCUS_PIP) -r requirements/focus-validator.txt && touch $@ || \
		{ echo "It could not be set up; the rules restated in the tests decide." >&2; rm -rf $(@D); }

FOCUS_PIP := --quiet --disable-pip-version-check --no-deps --require-hashes

$(FRONT): package.json package-lock.json | $(RUNTIME)
	@echo "Setting up front-end packages …"
	@if command -v npm >/dev/null && node --version >/dev/null 2>&1; then \
		$(NPM_CI); \
	else \
		$(PIP) --require-hashes -r requirements/node.txt && \
		PATH="$(abspath $(BIN)):$$PATH" $(NPM_CI); \
	fi
	@touch $@

# The machine's Chromium, else Debian's package when root, else Playwright's own.
build/chromium: | $(DEV)
	@mkdir -p build
	@if ! command -v chromium chromium-browser google-chrome >/dev/null; then \
		echo "Setting up Chromium …"; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
		else \
			$(BIN)/playwright install chromium; \
		fi; \
	fi
	@command -v chromium chromium-browser google-chrome > $@.new || true
	@head -n 1 $@.new > $@ && rm $@.new
