# PYTHON is the interpreter that makes the virtual environment: make serve PYTHON=python3.12
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: help serve book test test-lite audit shots links lite pdf mutate lint bench bench-live outputs class experiments experiments-quick results pins clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile | expand -t 24

serve: $(VENV)/installed ## build the book if anything has changed, serve it and print the address
	$(PY) tools/book.py serve --port $(PORT)

book: $(VENV)/installed ## build the book if anything has changed
	$(PY) tools/book.py build

lite: $(VENV)/installed ## add notebooks that run in the browser to the book (PYODIDE=FOLDER of its release)
	$(PY) tools/lite.py $(if $(PYODIDE),--pyodide "$(PYODIDE)")

pdf: $(VENV)/installed ## print the whole book as one PDF beside its pages, and link to it
	$(PY) tools/pdf.py

test: $(VENV)/installed-for-tests ## run everything: units, doctests, notebooks, the built book, a browser
	$(PY) tools/browser.py
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 20

audit: $(VENV)/installed-for-tests ## run Lighthouse and axe over every page in both themes (ARGS="--pages book/intro --themes dark")
	$(PY) tools/audit.py $(ARGS)

test-lite: $(VENV)/installed-for-tests ## run every chapter in the browser's own Python, an hour or more (ARGS="-k 01")
	$(PY) tools/browser.py
	LITE_CHAPTERS=all PYODIDE="$(PYODIDE)" $(PY) -m pytest --capture no tests/test_lite_chapters.py $(ARGS)

mutate: $(VENV)/installed-for-tests ## plant mistakes in the numeric core, count those the tests find (ARGS="--sample 50")
	nice -n 19 $(PY) tools/mutate.py $(ARGS)

lint: $(VENV)/installed ## check style and formatting
	$(PY) -m ruff check
	$(PY) -m ruff format --check

bench: $(VENV)/installed ## time the cells against other libraries, those that are installed
	$(PY) benchmarks/cells.py
	$(PY) benchmarks/picture.py

bench-live: $(VENV)/installed-for-tests ## measure the live figures, and the same figure as others publish it
	$(PYTHON) -m venv _build/publishers
	_build/publishers/bin/python -m pip install --quiet --requirement benchmarks/publishers.txt
	$(PY) benchmarks/live_publishers.py _build/publishers/bin/python _build/publishers/pages
	$(PY) benchmarks/live_lab.py
	$(PY) benchmarks/live_figures.py

outputs: $(VENV)/installed ## run every notebook and store its outputs in it
	$(PY) tools/outputs.py

class: $(VENV)/installed ## write the chapters as notebooks without the answers (ARGS="--out FOLDER")
	$(PY) tools/classroom.py $(ARGS)

experiments: $(VENV)/installed ## run all experiments again, an hour and a half (ARGS="--jobs 8"), and write their page
	$(PY) -m experiments $(ARGS)
	$(PY) -m experiments.page

experiments-quick: $(VENV)/installed ## repeat a few runs of each experiment and compare them with what is stored
	$(PY) -m experiments --quick $(ARGS)

results: $(VENV)/installed ## write book/results.md anew from the result files
	$(PY) -m experiments.page

shots: $(VENV)/installed-for-tests ## take pictures of six pages, wide and narrow, light and dark (ARGS="book/run --full")
	$(PY) tools/shots.py $(ARGS)

links: $(VENV)/installed ## ask other hosts whether the pages we link to are still there (ARGS=--list asks nobody)
	$(PY) tools/links.py $(ARGS)

pins: $(VENV)/installed ## write requirements.txt anew from pyproject.toml
	$(VENV)/bin/$(shell sed -n 's/^#    //p' requirements.txt)

clean: ## remove what was built; .venv stays
	rm -rf _build
	find src tests tools experiments -name __pycache__ -exec rm -r {} +

$(VENV)/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1)' || \
	{ echo "make: Python 3.11 or newer is needed, and '$(PYTHON)' is not that; name one, as in PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --requirement requirements.txt
	$(PY) -m pip install --no-deps --editable .
	touch $@

# PyTorch is not among the pins: its default build for Linux brings gigabytes that no test needs.
# Put a CPU build into .venv beforehand and this step keeps it.
$(VENV)/installed-for-tests: $(VENV)/installed
	$(PY) -m pip install --editable ".[parity]"
	touch $@
