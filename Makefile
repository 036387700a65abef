# Each target works from a fresh clone; all need only Python >= 3.11 and make.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CONSTRAINTS := constraints/airflow-3.3.txt
PEER := build/peer
PEERS := constraints/peers.txt
UV_VERSION := 0.13.9

# Some machines set this; Airflow then compiles itself anew in every process.
export PYTHONDONTWRITEBYTECODE :=
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup demo emulator test lint types contract bench chaos lock clean

help:
	@echo "make demo      run both example DAGs in a real Airflow against a local Diffgram; pictures in build/demo"
	@echo "make test      lint, types, all tests"
	@echo "make emulator  serve the demo's Diffgram and print the address of its page"
	@echo "make contract  the wire contract suite; on the server that DIFFGRAM_URL names, or else on the emulator"
	@echo "make bench     figures beside others', in build/bench.json; ROWS=compound, ROWS="push wait" for some"
	@echo "make chaos     pushes, compound files and waits that are killed and cut off, judged, in build/chaos.json; CASES=url.*,append.cleared for some"
	@echo "make lock      remake constraints/"

setup: $(READY)

$(READY): pyproject.toml $(CONSTRAINTS) Makefile
	@python=; for each in "$(PYTHON)" python3 python3.13 python3.12 python3.11; do \
	    if [ -n "$$each" ] && $$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	    then python=$$each; break; fi; done; \
	if [ -z "$$python" ]; then echo "Python 3.11 to 3.13 is needed; set PYTHON=/path/to/python" >&2; exit 1; fi; \
	echo "setting up $(VENV) with $$($$python --version)"; $$python -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode \
	    --constraints $(CONSTRAINTS) --editable '.[dev]' \
	|| { echo "uv could not install; pip is slower, but knows this machine's pip.conf"; \
	    $(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[dev]'; }
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
	@$(BIN)/python -m pytest

contract: $(READY)
	@$(BIN)/python -m pytest tests/contract -ra

bench: $(READY) $(PEER)/.ready
	@$(BIN)/python -m benchmarks $(ROWS)

$(PEER)/.ready: $(PEERS) | $(READY)
	@echo "setting up $(PEER), the official client's environment"; $(BIN)/python -m venv --clear $(PEER)
	@$(BIN)/uv pip install --quiet --python $(PEER)/bin/python --requirement $(PEERS) \
	|| $(PEER)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(PEERS)
	@touch $@

chaos: $(READY)
	@CASES='$(CASES)' $(BIN)/python -m chaos

lock: $(READY)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-emit-index-url \
	    --no-annotate --no-header --extra dev --output-file $(CONSTRAINTS) pyproject.toml
	@echo diffgram==0.15.0 | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	    --no-emit-index-url --no-annotate --no-header --output-file $(PEERS) -

clean:
	rm -rf build $(VENV)
