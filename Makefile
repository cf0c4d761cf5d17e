# Needs Python 3.11 or newer and make; everything else is set up here, once, and reused.
PYTHON ?= python3
SCENARIO ?= region-outage
BIN := .venv/bin
PACKAGES := .venv/.packages
# A registry may hiccup.
PATIENT := --retries 10 --timeout 30
# Two processes, each with its own rehearsal. Whole drills use two cores as they are.
QUICK := $(BIN)/python -m pytest -q -m "not slow" -n 2 --dist loadfile
CODE := function_app.py orchestrations activities shared rehearsal tests bench

.PHONY: drill deploy-check package stage test check bench simulate simulate-mutants setup clean

drill: setup  ## Lose a region and watch the standby take over.
	$(BIN)/python -m rehearsal drill --scenario $(SCENARIO)

deploy-check: setup  ## Deploy our own templates into the rehearsal and lose a region on that.
	$(BIN)/python -m rehearsal deploy-check

package: $(PACKAGES)  ## What is deployed: the app, its dependencies and their .pyc files.
	rm -rf out/package out/understudy.zip && mkdir -p out/package
	cp -r function_app.py host.json requirements.txt orchestrations activities shared out/package
	find out/package -name __pycache__ -prune -exec rm -rf {} +
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PATIENT) --target out/package/.python_packages/lib/site-packages -r requirements.txt
	$(BIN)/python -m compileall -q --invalidation-mode unchecked-hash out/package
	cd out/package && $(CURDIR)/$(BIN)/python -m zipfile -c ../understudy.zip function_app.py host.json requirements.txt orchestrations activities shared .python_packages __pycache__

stage: setup  ## Keep two locations up, to try official clients on.
	@mkdir -p out
	$(BIN)/python -m rehearsal stage --ready-file out/stage.json

test: setup  ## The quick tests.
	$(QUICK)

check: setup  ## What CI runs: style, types, architecture, every test.
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/pyright
	$(QUICK)
	$(BIN)/python -m pytest -q -m slow

bench: setup  ## The figures that this project promises, as ratios to their limits.
	$(BIN)/python -m bench

SEEDS ?= 10000
WORKERS ?= 1
simulate: $(PACKAGES)  ## Ten thousand seeds in virtual time (at most a quarter of an hour), ten thousand days of watching.
	$(BIN)/python -m rehearsal simulate --seeds $(SEEDS) --workers $(WORKERS) --minutes 15
	$(BIN)/python -m rehearsal simulate --days 10000

simulate-mutants: $(PACKAGES)  ## Plant bugs; each must be found.
	$(BIN)/python -m rehearsal simulate --mutants

setup: .tools/.ready

.tools/.ready: $(PACKAGES)
	$(BIN)/python -m rehearsal setup
	@mkdir -p $(@D) && touch $@

$(PACKAGES): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Understudy needs Python 3.11 or newer; name one: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PATIENT) -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .tools out .pytest_cache .ruff_cache .hypothesis
