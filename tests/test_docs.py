"""What the documentation promises, held against what there is.

Nothing is listed by hand: settings, commands, endpoints, fields, blocks and the rest
are looked up in the app, and each has to be named in its page of the reference.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import tomllib
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.dispatch import Signal
from django.utils.functional import Promise
from wagtail.api.v2.views import BaseAPIViewSet
from wagtail.blocks import Block
from wagtail.log_actions import registry as log_actions
from wagtail.snippets.models import get_snippet_models

import glossary
from glossary import blocks, conf, signals, site_blocks
from glossary.api import v2
from glossary.exporting import FORMATS
from glossary.importing import merge, obstacles
from glossary.importing.consistency.findings import Check
from glossary.importing.options import OnConflict, Orphans
from glossary.importing.report import (
    OUTCOME_LABELS,
    Change,
    Outcome,
    Remark,
    Result,
    ResultFile,
)
from glossary.payload import schema
from glossary.payload.sources import MAX_BYTES
from glossary.richtext import LOSSES
from glossary.templatetags.glossary_tags import register


if TYPE_CHECKING:
    from argparse import Action, ArgumentParser, _ActionsContainer
    from collections.abc import Iterable, Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
APP = REPOSITORY / "glossary"
DOCS = REPOSITORY / "docs"
REFERENCE = DOCS / "reference"
INDEX = DOCS / "README.md"
# A picture is read over slow lines too.
LARGEST_PICTURE = 250_000

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)


def pages() -> list[Path]:
    return [*REPOSITORY.glob("*.md"), *sorted(DOCS.rglob("*.md"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def text_of(page: str) -> str:
    return (REFERENCE / f"{page}.md").read_text(encoding="utf-8")


def missing(page: str, names: Iterable[str]) -> set[str]:
    """The names that the page of the reference does not write as code."""
    text = text_of(page)
    return {
        name
        for name in names
        if not re.search(rf"`[^`\n]*(?<![\w-]){re.escape(name)}(?![\w-])[^`\n]*`", text)
    }


def sources(suffix: str) -> Iterator[str]:
    for path in sorted(APP.rglob(f"*{suffix}")):
        if "migrations" not in path.parts:
            yield path.read_text(encoding="utf-8")


def defined_in(module: Any, parent: type) -> list[Any]:
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, parent)
        and value.__module__ == module.__name__
    ]


# Settings, checks, commands


def test_every_setting_is_documented():
    assert missing("settings", conf.SETTINGS) == set()


def test_the_default_of_every_setting_is_documented():
    source = (APP / "conf.py").read_text(encoding="utf-8")
    defaults = {
        node.args[1].value: ast.get_source_segment(source, node.args[2])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr"
    }
    assert defaults.keys() == {*conf.SETTINGS}
    documented = re.findall(
        r"^## `(GLOSSARY_\w+)`\n\nDefault: `(.*?)`", text_of("settings"), re.MULTILINE
    )
    assert dict(documented) == defaults


def test_no_other_setting_is_documented():
    assert set(re.findall(r"\bGLOSSARY_[A-Z0-9_]+", text_of("settings"))) == {
        *conf.SETTINGS
    }


def test_section_kinds_are_documented():
    kinds = [value for value, _label in conf.BUILT_IN_SECTION_KINDS]
    assert missing("settings", kinds) == set()


def test_every_check_is_documented_and_no_other():
    ids = re.compile(r"glossary\.[A-Z]\d{3}")
    known = {found for source in sources(".py") for found in ids.findall(source)}
    assert known
    assert set(ids.findall(text_of("checks"))) == known


def command_names() -> list[str]:
    return [name for name, app in get_commands().items() if app == "glossary"]


def parser_of(command: BaseCommand, name: str) -> ArgumentParser:
    return command.create_parser("manage.py", name)


def argument_names(parser: _ActionsContainer) -> set[str]:
    return {
        name
        for action in parser._actions
        for name in action.option_strings or [str(action.metavar or action.dest)]
    }


@pytest.mark.parametrize("name", command_names())
def test_every_option_of_a_command_is_documented(name):
    command = load_command_class("glossary", name)
    usual = argument_names(parser_of(BaseCommand(), name))
    own = argument_names(parser_of(command, name)) - usual
    assert own
    assert missing("commands", {name, *own}) == set()


def test_no_other_option_is_documented():
    known = {
        option
        for name in command_names()
        for option in argument_names(
            parser_of(load_command_class("glossary", name), name)
        )
    }
    assert set(re.findall(r"(?<!-)--[a-z][a-z-]*", text_of("commands"))) <= known


def section_of_command(name: str) -> str:
    sections = text_of("commands").split("\n## ")
    return next(text for text in sections if text.startswith(f"`{name}`"))


def own_options(name: str) -> Iterator[Action]:
    usual = argument_names(parser_of(BaseCommand(), name))
    for action in parser_of(load_command_class("glossary", name), name)._actions:
        if not usual & {*action.option_strings, action.dest}:
            yield action


@pytest.mark.parametrize("name", command_names())
def test_every_choice_and_default_of_an_option_is_documented(name):
    rows = section_of_command(name).splitlines()
    for action in own_options(name):
        label = [*action.option_strings, str(action.metavar or action.dest)][0]
        row = next(row for row in rows if row.startswith(f"| `{label}"))
        assert [
            str(each) for each in action.choices or () if f"`{each}`" not in row
        ] == []
        if action.default not in (None, False, []):
            assert re.search(rf"Default: `?{action.default}`?\.", row), row


def exit_statuses(name: str) -> set[int]:
    """What a command can end with: as its module says, or what it looks up with."""
    module = inspect.getmodule(type(load_command_class("glossary", name)))
    tree = ast.parse(inspect.getsource(module))
    statuses = {0} | {
        value
        for constant, value in vars(module).items()
        if constant.isupper() and isinstance(value, int) and value < 256
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "_lookup":
            statuses.add(2)
        if not isinstance(node, ast.Call):
            continue
        values = [word.value for word in node.keywords if word.arg == "returncode"]
        if ast.unparse(node.func) == "sys.exit":
            values += node.args
        statuses |= {value.value for value in values if isinstance(value, ast.Constant)}
    return statuses


@pytest.mark.parametrize("name", command_names())
def test_every_exit_status_is_documented_and_no_other(name):
    table = section_of_command(name).partition("| Exit status |")[2]
    rows = re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    assert {int(row) for row in rows} == exit_statuses(name)


def test_everything_that_check_terms_compares_is_documented():
    rows = section_of_command("check_terms").splitlines()
    assert [
        each for each in Check if not any(f"| `{each}` |" in row for row in rows)
    ] == []


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Every use of one of the app's commands in a shell block, as its arguments."""
    for path in pages():
        for _indent, language, body in FENCE.findall(path.read_text(encoding="utf-8")):
            if language not in {"sh", "console"}:
                continue
            for line in body.replace("\\\n", " ").splitlines():
                command = re.search(r"manage\.py (\w+)", line)
                if command and command[1] in command_names():
                    yield name_of(path), shlex.split(line[command.start(1) :])


@pytest.mark.parametrize(("page", "words"), [*command_lines()])
def test_command_lines_in_the_docs_parse(page, words):
    parser = parser_of(load_command_class("glossary", words[0]), words[0])
    parser.parse_args(words[1:])


# Models, blocks


def own_models() -> list[Any]:
    return [*apps.get_app_config("glossary").get_models()]


def section_of(model: Any) -> str:
    sections = text_of("models").split("\n## ")
    return next(text for text in sections if text.startswith(f"`{model.__name__}`"))


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model.__name__)
def test_every_field_and_choice_of_a_model_is_documented(model):
    fields = [
        field
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many)
        if not field.primary_key
    ]
    names = {field.name for field in fields}
    names |= {value for field in fields for value, _label in field.choices or ()}
    section = section_of(model)
    assert {name for name in names if f"`{name}`" not in section} == set()


def documented_members() -> Iterator[Any]:
    """Every name in the first column of a table of a model, with the model."""
    for model in own_models():
        for cell in re.findall(r"^\| (`[^|]*) \|", section_of(model), re.MULTILINE):
            for name in re.findall(r"`(\w+)", cell):
                yield pytest.param(model, name, id=f"{model.__name__}.{name}")


@pytest.mark.parametrize(("model", "name"), [*documented_members()])
def test_what_is_documented_of_a_model_exists(model, name):
    assert hasattr(model, name) or hasattr(model.objects, name)


BLOCKS = [*defined_in(blocks, Block), *defined_in(site_blocks, Block)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_every_block_and_its_fields_are_documented(block):
    names = [block.__name__]
    if hasattr(block, "base_blocks"):
        names += block.base_blocks
    assert missing("blocks", names) == set()


def test_every_template_of_a_block_is_documented():
    templates = {
        template
        for block in BLOCKS
        if (template := getattr(block._meta_class, "template", None))
    }
    assert missing("blocks", templates) == set()


# Payload and import


def test_every_field_of_the_payload_is_documented():
    assert missing("payload", schema.FIELDS.values()) == set()


@pytest.mark.parametrize(("name", "limit"), [*schema.MAX_LENGTHS.items()])
def test_every_limit_of_the_payload_is_documented(name, limit):
    rows = [row for row in text_of("payload").splitlines() if f"`{name}`" in row]
    assert any(re.search(rf"(?<![\d,]){limit:,}(?![\d,])", row) for row in rows)


def test_the_limit_of_a_line_is_documented():
    assert f"{MAX_BYTES // 1024**2} MiB" in text_of("payload")


def test_every_problem_and_value_of_the_payload_is_documented():
    codes = re.findall(r'"([a-z-]+)"', inspect.getdoc(schema.Problem) or "")
    assert "missing" in codes
    values = (*schema.LABEL_KINDS, *schema.CASE_RULES, *schema.LINK_KINDS)
    assert missing("payload", [*codes, *values]) == set()


def test_everything_that_markdown_can_lose_is_documented():
    text = text_of("payload")
    assert [str(loss) for loss in LOSSES.values() if str(loss) not in text] == []


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_an_import_is_documented(outcome):
    rows = [row for row in text_of("imports").splitlines() if f"`{outcome}`" in row]
    assert any(str(OUTCOME_LABELS[outcome]) in row for row in rows)


def test_every_policy_of_an_import_is_documented():
    text = text_of("imports")
    for policy in (*OnConflict, *Orphans):
        assert re.search(rf"^\| `{policy}` \|", text, re.MULTILINE), policy


def test_every_list_that_is_merged_is_documented():
    text = text_of("imports").partition("### Lists")[2].partition("###")[0]
    lists = {*merge.KEYS, *merge._SETS, *merge._MAPPINGS}
    rows = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == lists


def test_every_reason_to_block_a_term_is_documented():
    text = text_of("imports").partition("## Blocked terms")[2].partition("\n## ")[0]
    reasons = [
        value for name, value in vars(obstacles).items() if isinstance(value, Promise)
    ]
    assert reasons
    assert [str(reason) for reason in reasons if str(reason) not in text] == []


def test_every_part_of_a_report_is_documented():
    change = Change("title", "a", "b", taken=True, result="c")
    written = StringIO()
    report = ResultFile(written)
    report.add(
        Result("", "", Outcome.UPDATE, changes=(change,), remarks=[Remark("", "")])
    )
    report.message = "Stopped."
    report.end()
    whole = json.loads(written.getvalue())
    [term] = whole["terms"]
    parts = (whole, term, *term["changes"], *term["remarks"])
    assert missing("imports", {name for part in parts for name in part}) == set()


def test_every_format_of_exports_is_documented():
    for name in FORMATS:
        assert re.search(rf"^\| `{name}` \|", text_of("exports"), re.MULTILINE), name


# The API


def endpoints() -> list[Any]:
    # Named here: a view loses its name once it is routed.
    views = defined_in(v2, BaseAPIViewSet)
    return [pytest.param(view, view.name, id=view.name) for view in views if view.name]


@pytest.mark.parametrize(("view", "name"), endpoints())
def test_every_endpoint_its_fields_and_filters_are_documented(view, name):
    fields = view.get_available_fields(view.model)
    meta = view.get_meta_fields_names(view.model)
    names = {view.__name__, *fields, *meta, *view.known_query_parameters}
    assert re.search(rf"`GET [\w/]*/{name}/`", text_of("api"))
    assert missing("api", names - {"meta"}) == set()


@pytest.mark.parametrize(
    "model",
    [model for model in own_models() if hasattr(model, "api_fields")],
    ids=lambda model: model.__name__,
)
def test_every_api_field_is_documented(model):
    assert missing("api", {field.name for field in model.api_fields}) == set()


# Templates


def test_every_template_tag_and_filter_is_documented():
    assert missing("templates", {*register.tags, *register.filters}) == set()


def test_no_other_template_tag_is_documented():
    named = set(re.findall(r"`{% (\w+)", text_of("templates")))
    assert named - {"load"} <= register.tags.keys()


def test_every_template_block_is_documented():
    block = re.compile(r"{% block (glossary_\w+)")
    names = {name for source in sources(".html") for name in block.findall(source)}
    assert names
    assert set(re.findall(r"\| `(glossary_\w+)` \|", text_of("templates"))) == names


def test_every_template_of_a_page_is_documented_and_no_other():
    folder = APP / "templates"
    pages = (folder / "glossary").glob("*.html")
    names = {str(path.relative_to(folder)) for path in pages}
    assert set(re.findall(r"`(glossary/\w+\.html)`", text_of("templates"))) == names


def test_every_part_of_a_page_is_documented_and_no_other():
    folder = APP / "templates"
    parts = (folder / "glossary" / "includes").glob("*.html")
    names = {str(path.relative_to(folder)) for path in parts}
    documented = re.findall(r"`(glossary/includes/\w+\.html)`", text_of("templates"))
    assert set(documented) == names


def test_every_css_property_is_documented():
    names = set(re.findall(r"^\s*(--glossary-[\w-]+):", "".join(sources(".css")), re.M))
    assert names
    assert set(re.findall(r"`(--glossary-[\w-]+)`", text_of("templates"))) == names


# Log, permissions, signals


def test_every_log_action_is_documented():
    choices = log_actions.get_choices()
    actions = [name for name, _label in choices if name.startswith("glossary.")]
    assert actions
    named = re.findall(r"`(glossary\.[a-z_]+)`", text_of("log-and-permissions"))
    assert set(named) == {*actions}


def test_every_permission_is_documented():
    permissions = {
        get_permission_codename(action, model._meta)
        for model in get_snippet_models()
        if model._meta.app_label == "glossary"
        for action in model._meta.default_permissions
    }
    assert permissions
    assert missing("log-and-permissions", permissions) == set()


def test_every_signal_that_is_sent_is_documented():
    own = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert own
    assert missing("log-and-permissions", own) == set()


def test_every_signal_that_is_listened_to_is_documented():
    module = ast.parse((APP / "signal_handlers.py").read_text(encoding="utf-8"))
    signals = {
        alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("signals")
        for alias in node.names
    }
    assert signals
    assert missing("log-and-permissions", signals) == set()


# Make targets and versions


def make_targets() -> dict[str, bool]:
    """Each target of the Makefile, and whether ``make help`` lists it."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    rule = re.compile(r"^([a-z][a-z -]*):(.*)$", re.MULTILINE)
    targets: dict[str, bool] = {}
    for names, rest in rule.findall(makefile):
        for name in names.split():
            targets[name] = targets.get(name, False) or "##" in rest
    return targets


@pytest.mark.parametrize("path", pages(), ids=name_of)
def test_every_make_target_in_a_page_exists(path):
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert named <= make_targets().keys()


def test_every_listed_make_target_is_documented():
    text = (DOCS / "how-to" / "develop.md").read_text(encoding="utf-8")
    listed = {name for name, is_listed in make_targets().items() if is_listed}
    assert listed
    assert {name for name in listed if f"`make {name}`" not in text} == set()


def test_every_variable_of_the_demo_site_is_documented():
    source = (REPOSITORY / "site_project" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"^([A-Z_]{4,}) {2,}\S", source, re.MULTILINE))
    assert names
    text = (DOCS / "how-to" / "deploy.md").read_text(encoding="utf-8")
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_the_stated_versions_are_those_of_the_package():
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    lowest = dict(line.split(">=") for line in project["dependencies"])
    python = project["requires-python"].removeprefix(">=")
    stated = (
        f"Python {python}+, Django {lowest['django']}+, Wagtail {lowest['wagtail']}+"
    )
    for page in (REPOSITORY / "README.md", DOCS / "how-to" / "install.md"):
        assert stated in page.read_text(encoding="utf-8")


def test_the_changelog_begins_with_what_is_unreleased_or_this_version():
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *_ = re.findall(r"^## (\S+)", text, re.MULTILINE)
    assert first in {"Unreleased", glossary.__version__}


# Links, pictures, code


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in HEADING.findall(text)
    }


def links(path: Path) -> Iterator[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("path", pages(), ids=name_of)
def test_relative_links_lead_somewhere(path):
    for link in links(path):
        target, _hash, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), link
        if anchor:
            assert anchor in anchors(found), link


def test_every_page_is_reached_from_the_index():
    reached = {INDEX}
    waiting = [INDEX]
    while waiting:
        page = waiting.pop()
        for link in links(page):
            found = (page.parent / link.partition("#")[0]).resolve()
            if found.suffix == ".md" and found not in reached:
                reached.add(found)
                waiting.append(found)
    assert {*DOCS.rglob("*.md")} <= reached


def test_every_picture_is_shown_and_small():
    shown = {
        (path.parent / link).resolve()
        for path in pages()
        for link in links(path)
        if link.endswith(".png")
    }
    assert shown
    assert {*(DOCS / "images").iterdir()} == shown
    assert [path for path in shown if path.stat().st_size > LARGEST_PICTURE] == []


def code(language: str) -> Iterator[Any]:
    for path in pages():
        for position, (indent, name, body) in enumerate(
            FENCE.findall(path.read_text(encoding="utf-8"))
        ):
            if name == language:
                text = re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
                yield pytest.param(text, id=f"{name_of(path)}-{position}")


@pytest.mark.parametrize("text", [*code("python")])
def test_python_in_the_docs_compiles(text):
    compile(text, "docs", "exec")


@pytest.mark.parametrize("text", [*code("json")])
def test_json_in_the_docs_is_json(text):
    json.loads(text)


def test_the_payload_of_the_tutorial_has_no_fault():
    tutorial = (DOCS / "tutorial" / "first-glossary.md").read_text(encoding="utf-8")
    payloads = [
        json.loads(body)
        for _indent, language, body in FENCE.findall(tutorial)
        if language == "json" and body.startswith("[")
    ]
    records = [record for payload in payloads for record in payload]
    assert records
    for record in records:
        assert schema.parse_term(record).problems == ()


def test_every_place_of_the_app_is_documented():
    text = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    places = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in APP.iterdir()
        if path.suffix in {"", ".py"} and not path.name.startswith("__")
    }
    assert {place for place in places if f"`{place}`" not in text} == set()
