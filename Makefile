# Each target works from a fresh clone; all need only Python >= 3.11 and make.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CONSTRAINTS := constraints/airflow-3.3.txt
PEER := build/peer
PEERS := constraints/peers.txt
IMPORTS := build/imports
PROVIDERS := constraints/providers.txt
SITE := build/docs-env
SITE_TOOLS := constraints/docs.txt
# The link of the site to the repository; git@host:owner/name becomes an address of the web.
REPOSITORY ?= $(shell git remote get-url origin 2>/dev/null | sed -nE 's#^git@([^:]+):#https://\1/#; s#\.git$$##; /^https:/p')
UV_VERSION := 0.13.9
AUDIT_VERSION := 2.10.1

# Some machines set this; Airflow then compiles itself anew in every process.
export PYTHONDONTWRITEBYTECODE :=
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup demo emulator test fuzz lint types contract bench chaos compat e2e docs judge audit lock clean

help:
	@echo "make demo      run both example DAGs in a real Airflow against a local Diffgram; pictures in build/demo"
	@echo "make test      lint, types, all tests"
	@echo "make fuzz      all readers of predictions against 200,000 inputs that are nearly right; INPUTS=1000000 for more"
	@echo "make emulator  serve the demo's Diffgram and print the address of its page"
	@echo "make contract  the contract suite (docs/server.md); on the server that DIFFGRAM_URL names, or else on the emulator"
	@echo "make bench     figures beside others', in build/bench.json; ROWS=compound, ROWS='push wait' for some"
	@echo "make chaos     pushes, compound files and waits that are killed and cut off, judged, in build/chaos.json; CASES=url.*,append.cleared for some"
	@echo "make compat    the wheel on every Airflow and Python, in build/compat.json; ROWS=2.11-3.11,3.3-* for some"
	@echo "make e2e       the wheel in a real browser and on two workers, in build/e2e; PARTS=browser,distributed for some"
	@echo "make docs      the guides and the reference as a site, in build/site"
	@echo "make judge     sets for YOLO, read by Ultralytics; JUDGE=/path/to/python of an environment that has it"
	@echo "make audit     look the pinned packages up in the database of known vulnerabilities"
	@echo "make lock      remake constraints/"

setup: $(READY)

$(READY): pyproject.toml emulator/pyproject.toml $(CONSTRAINTS) Makefile
	@python=; for each in "$(PYTHON)" python3 python3.13 python3.12 python3.11; do \
	    if [ -n "$$each" ] && $$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	    then python=$$each; break; fi; done; \
	if [ -z "$$python" ]; then echo "Python 3.11 to 3.13 is needed; set PYTHON=/path/to/python" >&2; exit 1; fi; \
	echo "setting up $(VENV) with $$($$python --version)"; $$python -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode \
	    --constraints $(CONSTRAINTS) --editable ./emulator --editable '.[dev]' \
	|| { echo "uv could not install; pip is slower, but knows this machine's pip.conf"; \
	    $(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable ./emulator --editable '.[dev]'; }
	@touch $@

demo: $(READY)
	@$(BIN)/python -m demo

emulator: $(READY)
	@$(BIN)/python -m demo serve

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff check --preview --select AIR .
	@$(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy

test: lint types
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

fuzz: $(READY)
	@FUZZ=$(or $(INPUTS),200000) $(BIN)/python -m pytest tests/unit/predictions/fuzzing --numprocesses logical

contract: $(READY)
	@$(BIN)/python -m pytest tests/contract -ra

judge: $(READY)
	@$(BIN)/python -m tests.judges.yolo $(JUDGE)

bench: $(READY) $(PEER)/.ready $(IMPORTS)/.ready
	@$(BIN)/python -m benchmarks $(ROWS)

$(PEER)/.ready: $(PEERS) | $(READY)
	@echo "setting up $(PEER), the official client's environment"; $(BIN)/python -m venv --clear $(PEER)
	@$(BIN)/uv pip install --quiet --python $(PEER)/bin/python --requirement $(PEERS) \
	|| $(PEER)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(PEERS)
	@touch $@

$(IMPORTS)/.ready: $(PROVIDERS) pyproject.toml | $(READY)
	@echo "setting up $(IMPORTS), the environment with other providers"; $(BIN)/python -m venv --clear $(IMPORTS)
	@$(BIN)/uv pip install --quiet --python $(IMPORTS)/bin/python --compile-bytecode \
	    --requirement $(PROVIDERS) --editable . \
	|| $(IMPORTS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(PROVIDERS) --editable .
	@touch $@

docs: $(SITE)/.ready
	@$(BIN)/python -m reference build/reference
	@NO_MKDOCS_2_WARNING=true REPOSITORY='$(REPOSITORY)' $(SITE)/bin/mkdocs build --quiet --strict && echo "build/site/index.html"

$(SITE)/.ready: $(SITE_TOOLS) | $(READY)
	@echo "setting up $(SITE), the environment that builds the site"; $(BIN)/python -m venv --clear $(SITE)
	@$(BIN)/uv pip install --quiet --python $(SITE)/bin/python --requirement $(SITE_TOOLS) \
	|| $(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(SITE_TOOLS)
	@touch $@

audit: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit==$(AUDIT_VERSION) \
	&& .ci/audit $(BIN)/pip-audit constraints/*.txt

chaos: $(READY)
	@CASES='$(CASES)' $(BIN)/python -m chaos

compat: $(READY)
	@ROWS='$(ROWS)' $(BIN)/python -m compat

e2e: $(READY)
	@PARTS='$(PARTS)' $(BIN)/python -m e2e

# What a line needs beside the newest of everything is in its .in file.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
    --no-emit-index-url --no-emit-package diffgram-emulator --no-annotate --no-header

lock: $(READY)
	@$(LOCK) --extra dev --output-file $(CONSTRAINTS) pyproject.toml
	@for each in constraints/airflow-*.in; do \
	    $(LOCK) --extra dev --output-file $${each%.in}.txt pyproject.toml $$each || exit 1; done
	@$(LOCK) --extra emulator --extra examples --constraint $(CONSTRAINTS) \
	    --output-file constraints/e2e.txt pyproject.toml constraints/e2e.in
	@echo diffgram==0.15.0 | $(LOCK) --output-file $(PEERS) -
	@printf '%s\n' apache-airflow-providers-http apache-airflow-providers-dbt-cloud \
	    apache-airflow-providers-databricks \
	| $(LOCK) --constraint $(CONSTRAINTS) --output-file $(PROVIDERS) pyproject.toml -
	@printf '%s\n' mkdocs mkdocs-material | $(LOCK) --output-file $(SITE_TOOLS) -

clean:
	rm -rf build $(VENV)
