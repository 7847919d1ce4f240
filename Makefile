# Every target makes its own environment; nothing has to be installed before but Python 3.11, 3.12 or 3.13.
VENV := .venv
BENCH_VENV := .bench-venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
CANDIDATES := python3 python3.13 python3.12 python3.11 python
SCHEMAS := train eval suite quantize generate chat convert mask dedup split merge validate recipe prompt

.DEFAULT_GOAL := help
.PHONY: help install demo test lint stress bench schemas constraints tiny-ko clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The first Python that is new enough and not too new, or one clear line.
define MAKE_VENV
	@python=""; for candidate in $(CANDIDATES); do \
		if $$candidate -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
		then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
		echo "error: no Python 3.11, 3.12 or 3.13 with venv found -> brew install python@3.12, or apt install python3-venv" >&2; exit 3; fi; \
	test -x $(1)/bin/python || "$$python" -m venv $(1)
endef

$(INSTALLED): pyproject.toml constraints.txt
	$(call MAKE_VENV,$(VENV))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(INSTALLED) ## Make .venv and install llmops into it
	@echo "installed: $(BIN)/llmops (or: source $(BIN)/activate)"

demo: $(INSTALLED) ## Raw Korean text to a trained, measured model that answers; offline
	$(BIN)/llmops run recipes/quickstart.yaml

test: $(INSTALLED) ## The tests: offline, under 10 minutes on two cores
	$(BIN)/python -m pytest tests

lint: $(INSTALLED) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy llmops_cli

stress: $(INSTALLED) ## Kills and fuzzing: slow
	$(BIN)/python -m pytest tests/stress

bench: $(INSTALLED) ## Benchmarks, ours and the peer in turn; BENCH=name runs one
	$(call MAKE_VENV,$(BENCH_VENV))
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . -r tests/bench/requirements.txt
	$(BENCH_VENV)/bin/python -m tests.bench $(BENCH)

schemas: $(INSTALLED) ## Write configs/schema/*.json anew
	@mkdir -p configs/schema
	for name in $(SCHEMAS); do $(BIN)/llmops config schema $$name > configs/schema/$$name.json; done

constraints: $(INSTALLED) ## Write constraints.txt anew from .venv
	@{ sed -n 1p constraints.txt; $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu//'; } > constraints.new
	@mv constraints.new constraints.txt

tiny-ko: $(INSTALLED) ## Train builtin:tiny-ko anew and put it into the package (an hour on two cores)
	$(BIN)/llmops run recipes/tiny-ko.yaml
	rm -rf llmops_cli/models/builtin/tiny-ko
	mkdir -p llmops_cli/models/builtin
	cp -R runs/tiny-ko/model llmops_cli/models/builtin/tiny-ko

clean: ## Delete environments and caches; runs stay
	rm -rf $(VENV) $(BENCH_VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
