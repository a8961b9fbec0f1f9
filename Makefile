# `make help` lists what there is. Needs Python 3.11 or later, with its venv module.
PYTHON ?= python3
PORT ?= 8000
# More for pytest, such as: make test-fast ARGS="-k devalue -x"
ARGS ?=

VENV := .venv
CLIENTS := .venv-clients
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --disable-pip-version-check -q
TYPED := glossary/payload glossary/richtext $(wildcard glossary/linking) \
	glossary/importing/merge.py glossary/alphabet.py glossary/names.py \
	glossary/addresses.py $(addprefix glossary/site/,ego.py layout.py lettering.py \
	map_marks.py map_names.py) tests/postgres.py

PYTEST := $(BIN)/python -m pytest
POSTGRES := $(BIN)/python -m tests.postgres
# A developer's site, and the secret of a production site that nobody visits.
DEMO := DEBUG=1 WAGTAILADMIN_BASE_URL=http://127.0.0.1:$(PORT) $(BIN)/python manage.py
PRODUCTION = SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(64))')

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-fast test-sqlite test-postgres test-custom-page \
	test-browser clients fuzz nuxt lighthouse screenshots exhaustive lint format \
	types checks matrix lowest highest benchmark clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

# What no database can change runs once, with the tests on SQLite.
WITHOUT_DATABASE := $(addprefix --ignore=tests/test_, addresses.py alphabet.py \
	architecture.py devalue.py docs.py docs_requests.py ego.py export_edit.py \
	layout.py lettering.py lighthouse.py load.py locale.py map_names.py merge.py \
	names.py payload_archives.py payload_field_map.py payload_html.py \
	payload_javascript.py payload_streams.py payload_tables.py richtext.py \
	schema.py site_project.py sources.py static.py wheel.py)

# What every database answers alike runs once too.
ALIKE := $(addprefix --ignore=tests/test_, blocks.py cards.py checks.py clients.py \
	conditional.py custom_page.py export_destination.py export_payload.py \
	export_records.py export_terms.py extension.py feeds.py forms.py html.py \
	import_options.py import_rights.py map.py negotiation.py openapi.py pages.py \
	previews.py proposals.py prose.py purging.py site_blocks.py site_markdown.py \
	site_payload.py structured_data.py webhook_admin.py \
	webhooks.py)

# These run once, on PostgreSQL, which sorts and searches by its own rules, and refuses
# what SQLite takes.
ON_POSTGRES := $(addprefix --ignore=tests/test_, admin.py admin_exports.py \
	admin_import_permissions.py admin_imports.py api_fuzz.py check_terms.py)

# What knows pages only through the rest.
WITHOUT_PAGES := $(addprefix --ignore=tests/test_, cards.py conditional.py \
	delivery_search.py entries.py html.py import_options.py import_rights.py \
	listing.py openapi.py proposals.py purging.py suggestions.py \
	webhook_admin.py webhook_sending.py webhooks.py)

# --- The demo

demo: $(VENV)/.demo ## run the demo site on http://127.0.0.1:8000/ (PORT=...)
	@$(DEMO) migrate -v 0
	@$(DEMO) load_demo
	@$(DEMO) runserver 127.0.0.1:$(PORT)

serve: $(VENV)/.demo ## serve the database of `make demo` as in production, without HTTPS
	@set -e; export $(PRODUCTION) HTTPS=0 ALLOWED_HOSTS=127.0.0.1,localhost; \
	export WAGTAILADMIN_BASE_URL=http://127.0.0.1:$(PORT); \
	$(BIN)/python manage.py migrate -v 0; \
	$(BIN)/python manage.py collectstatic --no-input -v 0; \
	exec $(BIN)/gunicorn site_project.wsgi --workers 2 --no-control-socket \
		--bind 127.0.0.1:$(PORT)

# --- The tests

test: lint types checks test-sqlite test-postgres test-custom-page test-browser ## everything that has to hold

test-fast: $(VENV)/.test ## while you work: a case of each test that is not slow, on SQLite
	$(PYTEST) -q -n auto -m "not browser and not slow and not exhaustive" --one-case $(ARGS)

test-sqlite: $(VENV)/.test $(CLIENTS)/.ready ## the tests on SQLite, but for a few
	$(PYTEST) -q -n auto -m "not browser and not exhaustive" $(ON_POSTGRES) $(ARGS)

test-postgres: $(VENV)/.test ## the tests on PostgreSQL that a database can change
	$(POSTGRES) $(PYTEST) -q -n auto -m "not browser and not exhaustive and not once" \
		$(WITHOUT_DATABASE) $(ALIKE) $(ARGS)

test-custom-page: $(VENV)/.test ## the tests on a site with a base page of its own
	$(PYTEST) -q -n auto -m "not browser and not slow and not exhaustive" \
		--ds tests.settings_custom_page $(WITHOUT_DATABASE) $(WITHOUT_PAGES) $(ARGS)

test-browser: $(VENV)/.test ## the browser tests (GLOSSARY_SCREENSHOTS=1 keeps pictures)
	$(POSTGRES) $(PYTEST) -q -n auto -m browser tests/browser $(ARGS)

clients: $(VENV)/.test $(CLIENTS)/.ready ## generated clients read the API (needs Node)
	GLOSSARY_REQUIRE_SERVICES=1 $(PYTEST) -q tests/test_clients.py $(ARGS)

FUZZ_EXAMPLES ?= 500
fuzz: $(VENV)/.test ## schemathesis asks the API for all it can think of (FUZZ_EXAMPLES=...)
	GLOSSARY_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(POSTGRES) $(PYTEST) -q \
		tests/test_api_fuzz.py $(ARGS)

nuxt: $(VENV)/.test ## build the example front end and look at it (needs Node)
	GLOSSARY_REQUIRE_SERVICES=1 $(PYTEST) -q tests/browser/test_nuxt.py $(ARGS)

lighthouse: $(VENV)/.test ## what Lighthouse says about the demo's pages (needs Node)
	$(BIN)/python -m tests.lighthouse $(ARGS)

screenshots: $(VENV)/.test ## pictures of all pages, in screenshots/ and the docs
	$(BIN)/python -m tests.screenshots

exhaustive: $(VENV)/.test ## what takes minutes: an import broken off at every statement
	$(PYTEST) -q -n auto -m exhaustive $(ARGS)
	$(POSTGRES) $(PYTEST) -q -n auto -m exhaustive $(ARGS)

lint: $(VENV)/.test ## ruff: mistakes and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.test ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.test ## mypy, strictly, on the pure modules
	$(BIN)/mypy --strict $(TYPED)

checks: $(VENV)/.test ## migrations are complete; a production site has no warning
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=tests.settings_custom_page \
		$(BIN)/python manage.py makemigrations --check --dry-run
	@$(PRODUCTION) ALLOWED_HOSTS=glossary.example \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

# --- Other versions

# The newest Python that runs, among those on the PATH and pyenv's.
NEWEST = $(shell for python in $$(ls -d $$HOME/.pyenv/versions/3.*/bin/python) \
	python3.15 python3.14 python3.13 python3.12 $(PYTHON); do \
	$$python -c 'import sys; print("%d.%d.%d" % sys.version_info[:3], sys.executable)'; \
	done 2>/dev/null | sort -V | tail -n 1 | cut -d ' ' -f 2)

matrix: lowest ## the tests on the lowest and the highest supported versions
	@if $(NEWEST) -c 'import sys; sys.exit(sys.version_info < (3, 12))'; \
	then $(MAKE) highest; \
	else echo "skipped: the highest versions need Python 3.12 or later"; fi

lowest highest: %: .matrix/%/.installed
	@.matrix/$@/bin/python --version
	DEBUG=1 .matrix/$@/bin/python manage.py makemigrations --check --dry-run
	.matrix/$@/bin/python -m pytest -q -n auto -m "not browser and not exhaustive" \
		$(ARGS)

.matrix/lowest/.installed: INTERPRETER = $(PYTHON)
.matrix/highest/.installed: INTERPRETER = $(NEWEST)
.matrix/%/.installed: requirements/%.txt requirements/demo.txt requirements/test.txt
	@$(INTERPRETER) -m venv --clear $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) $(addprefix -r ,$^)
	@touch $@

benchmark: $(VENV)/.test ## measure speed and memory
	$(POSTGRES) $(BIN)/python -m benchmarks $(ARGS)

# --- What they need

$(VENV)/.demo: requirements/base.txt requirements/demo.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) \
		and "Python 3.11 or later is needed: make PYTHON=...")'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python $(PIP_INSTALL) $(addprefix -r ,$^)
	@touch $@

$(VENV)/.test: $(VENV)/.demo requirements/test.txt
	@$(BIN)/python $(PIP_INSTALL) -r requirements/test.txt
	@touch $@

$(CLIENTS)/.ready: requirements/clients.txt
	@$(PYTHON) -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/python $(PIP_INSTALL) -r requirements/clients.txt
	@touch $@

clean: ## remove what these targets made, but not the demo's data
	rm -rf $(VENV) $(CLIENTS) .node .matrix build dist *.egg-info staticfiles screenshots \
		.hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
