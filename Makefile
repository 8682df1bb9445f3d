# Needs Python 3.11 or newer with pip, make and git; everything else is fetched into .venv.
# Paths are relative throughout: make takes a space in a path for the end of a name.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell \
	$(name) -c 'import sys; print("$(name)") if sys.version_info >= (3, 11) else None' 2>/dev/null)))
PY := .venv/bin/python
RUN_CHECK := $(PY) -m demo.check

# A caller's settings module, python path or half-set environment must not leak into ours.
unexport DJANGO_SETTINGS_MODULE PYTHONPATH PYTHONHOME VIRTUAL_ENV UV_PROJECT_ENVIRONMENT

.PHONY: help install demo test bench check clean \
	lint format-check types imports templates migrations deploy translations messages

help:
	@echo "make demo    start the portal on this machine, with demo data; Ctrl-C stops it"
	@echo "make test    run all tests"
	@echo "make check   run all checks: style, types, imports, templates, migrations, settings, translations"
	@echo "make bench   measure how fast permit numbers are claimed"
	@echo "make messages  collect new texts to translate and compile them"

.venv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (set PYTHON=...)"; exit 1; }
	@echo "Making .venv with $(PYTHON)"
	@# Debian keeps venv's own pip in a package of its own; the machine's pip will do instead.
	@"$(PYTHON)" -m venv .venv >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear --without-pip .venv
	@$(PY) -m pip --version >/dev/null 2>&1 \
		&& $(PY) -m pip install --quiet --disable-pip-version-check uv \
		|| "$(PYTHON)" -m pip --python .venv/bin/python install --quiet --disable-pip-version-check uv

.venv/synced: pyproject.toml uv.lock .venv/bin/uv
	@echo "Installing the locked packages"
	@.venv/bin/uv sync --frozen --quiet
	@touch .venv/synced

install: .venv/synced

demo: install
	@$(PY) -m demo.system pango harfbuzz fonts
	@$(PY) -m demo

# ARGS="-k waitlist" narrows it down.
test: install
	@$(PY) -m demo.system pango harfbuzz fonts chromium xmlsec
	@$(PY) -m pytest -n 2 --durations=20 $(ARGS)

# Measurements print ratios of one run: slow on purpose, and no part of `make test`.
bench: install
	@OPSCOM_DURABLE=true $(PY) -m pytest -m bench tests/bench $(ARGS)

check: lint format-check types imports templates migrations deploy translations

lint: install
	$(PY) -m ruff check .

format-check: install
	$(PY) -m ruff format --check .

types: install
	$(RUN_CHECK) mypy .

imports: install
	.venv/bin/lint-imports

templates: install
	$(PY) -m djlint --lint --quiet templates

migrations: install
	$(PY) -m demo.run_with_servers $(RUN_CHECK) django makemigrations --check --dry-run

deploy: install
	$(RUN_CHECK) --production django check --deploy --fail-level WARNING

translations: install
	@$(PY) -m demo.system gettext
	$(RUN_CHECK) tools.translations

# Collects new texts into locale/ and compiles it.
messages: install
	@$(PY) -m demo.system gettext
	$(RUN_CHECK) tools.translations update

clean:
	rm -rf .venv var staticfiles .mypy_cache .ruff_cache .pytest_cache test-results
