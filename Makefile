# Few words: demo test check bench interop docs clean. Each makes .venv when it is missing or older than pyproject.toml.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready
DEV     = $(VENV)/.ready-dev
TYPING  = build/typing
ARROWS  = build/arrows
MAPPED  = codecs rtp simulator sipcore
PIP     = $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-all check types arrows format cover bench interop docs clean help

help:            ## what can be asked for
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(READY)   ## an agent, a caller, a conversation and its report, on loopback
	$(BIN)/python -m offhook demo

test: $(DEV)     ## all tests; peers that are not installed are skipped and named
	$(BIN)/python -m pytest $(ARGS)

test-all:        ## the tests on each CPython that is installed (3.11, 3.12, 3.13)
	@for v in 3.11 3.12 3.13; do \
	  if python$$v -c '' 2>/dev/null; then $(MAKE) test PYTHON=python$$v VENV=.venv-$$v || exit 1; \
	  else echo "python$$v is not installed: skipped"; fi; done

check: $(DEV)    ## format, lint, types, arrows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(MAKE) --no-print-directory types arrows

format: $(DEV)   ## put the code into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# mypy would take codecs/ at the root for the standard library's, so it looks at a tree of links.
types: $(DEV)
	@rm -rf $(TYPING) && mkdir -p $(TYPING)/offhook
	@for f in $(CURDIR)/offhook/*; do ln -s $$f $(TYPING)/offhook/; done
	@for r in $(MAPPED); do ln -s $(CURDIR)/$$r $(TYPING)/offhook/$$r; done
	cd $(TYPING) && $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml -p offhook

# import-linter follows no links, so it looks at a copy.
arrows: $(DEV)
	@rm -rf $(ARROWS) && mkdir -p $(ARROWS) && cp -r offhook $(ARROWS)/offhook
	@for r in $(MAPPED); do cp -r $$r $(ARROWS)/offhook/$$r; done
	cd $(ARROWS) && $(abspath $(BIN))/lint-imports --no-logo --config $(CURDIR)/pyproject.toml

cover: $(DEV)    ## the tests with branch coverage
	$(BIN)/coverage run -m pytest -m "not interop" $(ARGS)
	$(BIN)/coverage report

bench: $(DEV)    ## the benchmarks, each beside its peers
	@for b in benchmarks/*.py; do $(BIN)/python $$b || exit 1; done

interop: $(DEV)  ## only the tests against foreign peers, all of them required
	OFFHOOK_REQUIRE_PEERS=1 $(BIN)/python -m pytest tests/interop $(ARGS)

docs: $(DEV)     ## the pages that are made from the code (state tables, schema, options)
	$(BIN)/python docs/build.py

clean:           ## what was built, and the virtual environments
	rm -rf build dist .venv .venv-* *.egg-info .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): pyproject.toml
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "making $(VENV) ..."; $(PYTHON) -m venv --clear $(VENV); }
	@echo "installing into $(VENV) ..."
	@$(PIP) install -e ".[speech]"
	@touch $@

$(DEV): $(READY)
	@echo "installing the tools of the tests into $(VENV) ..."
	@$(PIP) install -e ".[speech,dev]"
	@touch $@
