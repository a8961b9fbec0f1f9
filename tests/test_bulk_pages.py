"""Terms that an import has written in bulk are pages like those made one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import swapper
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import models, transaction
from django.test import Client
from django.urls import reverse
from taggit.models import Tag
from wagtail.models import Comment, Locale, PageLogEntry, ReferenceIndex, Revision
from wagtail.search.backends import get_search_backend
from wagtail.signals import page_published, page_unpublished, published, unpublished
from wagtail.test.utils.form_data import (
    inline_formset,
    nested_form_data,
    rich_text,
    streamfield,
)

from glossary.models import (
    Category,
    GlossaryPage,
    ImportRun,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
    TermTag,
)
from glossary.signals import terms_imported

from .extension.models import CoursePage, CourseTermPage
from .factories import home_page, make_glossary
from .payloads import record, run, write


pytestmark = [pytest.mark.django_db, pytest.mark.slow]

STREAMS = ("explanation", "comparisons", "faq", "related_features")
CONTENT = ("title", "heading", "short_definition", "payload_extra", "category")
SEO = ("seo_title", "search_description")
RECORDS = (
    record("token"),
    record(
        "embedding",
        relatedTerms=[
            {"slug": "token", "name": "Token"},
            {"slug": "vector", "name": "Vector"},
        ],
        labels=["vectors", {"text": "emb", "kind": "abbreviation"}],
        tags=["text", "maths"],
        vsRelatedConcepts=[
            {"term": "Token", "comparison": "Smaller."},
            {"term": "Unheard of", "comparison": "Nothing."},
        ],
        reviewedBy="Ada",
    ),
    record(
        "bare",
        **dict.fromkeys(
            [
                *("seoTitle", "seoDescription", "h1", "explanation", "howItWorks"),
                *("vsRelatedConcepts", "relatedTerms", "relatedFeatures", "faq"),
                *("category", "labels", "tags"),
            ]
        ),
    ),
)


@pytest.fixture
def user() -> Any:
    return get_user_model().objects.create_superuser("editor", "e@example.com", "-")


@pytest.fixture
def bulk() -> GlossaryPage:
    return make_glossary("ai")


@pytest.fixture
def hand() -> GlossaryPage:
    return make_glossary("by-hand", title="Ai")


# Making the same by hand


def put_on(page: TermPage, imported: TermPage, glossary: GlossaryPage) -> None:
    """Give a page what an imported one says, in another glossary."""

    def home(related_term: RelatedTerm) -> RelatedTerm:
        found, _created = RelatedTerm.objects.get_or_create(
            glossary=glossary,
            locale=related_term.locale,
            slug=related_term.slug,
            defaults={"name": related_term.name},
        )
        return found

    for name in (*CONTENT, *SEO):
        if hasattr(imported, name):
            setattr(page, name, getattr(imported, name))
    if hasattr(imported, "level"):
        page.level = imported.level
    for name in STREAMS:
        children = json.loads(json.dumps(list(getattr(imported, name).raw_data)))
        for child in children:
            if pk := child["value"].get("related_term"):
                known = RelatedTerm.objects.get(pk=pk)
                child["value"]["related_term"] = home(known).pk
        setattr(page, name, json.dumps(children))
    links = {link.related_term.slug: link for link in page.related_terms.all()}
    page.related_terms.set(
        [
            changed(
                links.get(link.related_term.slug)
                or TermLink(related_term=home(link.related_term)),
                kind=link.kind,
                sort_order=link.sort_order,
            )
            for link in imported.related_terms.all()
        ]
    )
    labels = {label.text: label for label in page.labels.all()}
    page.labels.set(
        [
            changed(
                labels.get(label.text) or TermLabel(text=label.text),
                kind=label.kind,
                case_rule=label.case_rule,
                sort_order=label.sort_order,
            )
            for label in imported.labels.all()
        ]
    )
    tagged = {item.tag_id: item for item in page.tagged_items.all()}
    page.tagged_items.set(
        [
            tagged.get(item.tag_id) or TermTag(tag=item.tag)
            for item in imported.tagged_items.order_by("pk")
        ]
    )


def changed(row: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def latest(page: TermPage) -> TermPage:
    return page.get_latest_revision_as_object()


def make_by_hand(
    bulk: GlossaryPage, hand: GlossaryPage, user: Any, *, publish: bool = True
) -> None:
    """Make the terms of a glossary in another one, page by page as Wagtail does."""
    for imported in bulk.terms.order_by("path").specific():
        page = type(imported)(
            slug=imported.slug, owner=user, live=False, title=imported.title
        )
        put_on(page, latest(imported), hand)
        hand.add_child(instance=page)
        revision = page.save_revision(user=user)
        if publish:
            revision.publish(user=user)


def change_by_hand(
    bulk: GlossaryPage, hand: GlossaryPage, user: Any, *slugs: str, publish: bool = True
) -> None:
    for slug in slugs:
        imported = bulk.terms.get(slug=slug).specific
        page = hand.terms.get(slug=slug).specific
        put_on(page, latest(imported), hand)
        revision = page.save_revision(user=user)
        if publish:
            revision.publish(user=user)


# What the tables say, but for numbers and times


class Dump:
    """The rows that belong to the terms of one glossary, with names for ids."""

    def __init__(self, glossary: GlossaryPage) -> None:
        self.glossary = glossary
        self.pages = list(glossary.terms.order_by("path").specific())
        self.names = {page.pk: page.slug for page in self.pages}
        self.related = dict(RelatedTerm.objects.values_list("pk", "slug"))
        self.tags = dict(Tag.objects.values_list("pk", "name"))
        self.categories = dict(Category.objects.values_list("pk", "slug"))
        self.revisions = {
            page.pk: list(
                Revision.objects.for_instance(page).order_by("created_at", "pk")
            )
            for page in self.pages
        }
        self.ordinals = {
            revision.pk: number
            for revisions in self.revisions.values()
            for number, revision in enumerate(revisions)
        }

    def all(self) -> dict[str, list[Any]]:
        return {
            "pages": [self.page(page) for page in self.pages],
            "links": [self.link(row) for row in self.rows(TermLink, "term")],
            "labels": [
                (self.names[row.term_id], row.text, row.kind, row.case_rule)
                for row in self.rows(TermLabel, "term")
            ],
            "tags": [
                (self.names[row.content_object_id], row.tag.name)
                for row in self.rows(TermTag, "content_object")
            ],
            "revisions": [
                self.revision(revision)
                for page in self.pages
                for revision in self.revisions[page.pk]
            ],
            "log": self.log(),
            "references": sorted(self.references()),
            "search": self.search(),
            "related": self.related_terms(),
            "numchild": [type(self.glossary).objects.get(pk=self.glossary.pk).numchild],
        }

    def rows(self, model: type[models.Model], name: str) -> Any:
        order = [f"{name}__path"]
        order.append("pk" if model is TermTag else "sort_order")
        return model._base_manager.filter(**{f"{name}__in": self.names}).order_by(
            *order
        )

    def link(self, row: TermLink) -> Any:
        related_term = row.related_term
        assert related_term.glossary_id == self.glossary.pk
        return (self.names[row.term_id], related_term.slug, row.kind, row.sort_order)

    def page(self, page: TermPage) -> dict[str, Any]:
        found = {}
        for field in type(page)._meta.concrete_fields:
            value = getattr(page, field.attname)
            if field.name in STREAMS:
                value = list(value.raw_data)
            found[field.name] = self.plain(field.name, value)
        assert found.pop("translation_key")
        return found

    def plain(self, name: str, value: Any) -> Any:
        """A value with nothing that depends on which row it is."""
        if name in ("path", "url_path"):
            return value.removeprefix(getattr(self.glossary, name))
        if name in ("latest_revision", "live_revision"):
            return self.ordinals.get(value)
        named = {"pk": self.names, "id": self.names, "alias_of": self.names}
        named["category"] = self.categories
        if name in named or name.endswith("_ptr"):
            return named.get(name, self.names).get(value)
        if name in STREAMS:
            return [self.child(child) for child in value]
        if isinstance(value, datetime) or name.endswith("_at"):
            return value is not None
        return value

    def child(self, child: dict[str, Any]) -> dict[str, Any]:
        value = dict(child["value"])
        if value.get("related_term"):
            related_term = RelatedTerm.objects.get(pk=value["related_term"])
            assert related_term.glossary_id == self.glossary.pk
            value["related_term"] = related_term.slug
        return {**child, "value": value}

    def revision(self, revision: Revision) -> dict[str, Any]:
        content = dict(revision.content)
        assert content.pop("translation_key")
        for name in STREAMS:
            content[name] = json.loads(content[name])
        content = {name: self.plain(name, value) for name, value in content.items()}
        for name in ("related_terms", "labels", "tagged_items"):
            for row in content[name]:
                # A revision made by hand does not know those of new rows yet.
                del row["pk"]
        for link in content["related_terms"]:
            link["term"] = self.names[link["term"]]
            link["related_term"] = self.related[link["related_term"]]
        for label in content["labels"]:
            label["term"] = self.names[label["term"]]
        for item in content["tagged_items"]:
            item["content_object"] = self.names[item["content_object"]]
            item["tag"] = self.tags[item["tag"]]
        content["tagged_items"].sort(key=lambda item: item["tag"])
        return {
            "content": content,
            "object_str": revision.object_str,
            "user": revision.user_id,
            "types": (revision.content_type_id, revision.base_content_type_id),
            "of": self.names[int(revision.object_id)],
            "go_live": revision.approved_go_live_at,
        }

    def log(self) -> list[Any]:
        entries = PageLogEntry.objects.filter(page__in=self.names).order_by("pk")
        return [
            (
                self.names[entry.page_id],
                entry.action,
                entry.label,
                entry.user_id,
                entry.content_type_id,
                entry.content_changed,
                entry.deleted,
                self.ordinals.get(entry.revision_id),
                {} if "run" in entry.data else self.without_ids(entry.data),
            )
            for entry in sorted(entries, key=lambda entry: (entry.page_id, entry.pk))
        ]

    @staticmethod
    def without_ids(data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {
            name: Dump.without_ids(value)
            for name, value in data.items()
            if name not in ("id", "created", "uuid")
        }

    def references(self) -> list[Any]:
        named = {
            RelatedTerm: self.related,
            Tag: self.tags,
            Category: self.categories,
        }
        named_by_type = {
            ContentType.objects.get_for_model(model).pk: names
            for model, names in named.items()
        }
        return [
            (
                self.names[int(row.object_id)],
                row.base_content_type_id,
                row.to_content_type_id,
                named_by_type[row.to_content_type_id][int(row.to_object_id)],
                row.model_path,
                re.sub(r"\.\d+\.", ".N.", row.content_path),
            )
            for row in ReferenceIndex.objects.filter(
                object_id__in=list(map(str, self.names)),
                base_content_type=self.pages[0].get_base_content_type(),
            )
        ]

    def search(self) -> list[Any]:
        backend = get_search_backend()
        entries = backend.get_index_for_model(TermPage).entries.model.objects
        rows = entries.filter(
            object_id__in=list(map(str, self.names)),
            content_type__in=ContentType.objects.get_for_models(
                *{type(page) for page in self.pages}
            ).values(),
        )
        found = []
        for row in rows.values():
            row["object_id"] = self.names[int(row["object_id"])]
            # The norm depends on when the entry was made.
            del row["id"], row["title_norm"]
            row.pop("index_entry_ptr_id", None)
            found.append(row)
        return sorted(found, key=lambda row: row["object_id"])

    def related_terms(self) -> list[Any]:
        rows = RelatedTerm.objects.filter(glossary=self.glossary).order_by("slug")
        return [
            (row.slug, row.name, row.locale_id, self.names.get(row.page_id))
            for row in rows
        ]


def check_equal(
    bulk: GlossaryPage, hand: GlossaryPage, imports: list[tuple[str, str]] | None = None
) -> None:
    """The tables say the same of both. ``imports`` are the entries in the log that
    only an import makes, each with the term that it is of."""
    ours = Dump(bulk).all()
    # Wagtail itself keeps references of rows that are gone until they are built anew.
    call_command("rebuild_references_index", verbosity=0)
    theirs = Dump(hand).all()
    told = [entry for entry in ours["log"] if entry[1].startswith("glossary.import")]
    ours["log"] = [entry for entry in ours["log"] if entry not in told]
    for table in theirs:
        assert ours[table] == theirs[table], table
    if imports is not None:
        assert sorted((entry[0], entry[1]) for entry in told) == sorted(imports)
        # Each says which revision it has made.
        assert all(entry[7] is not None for entry in told)


def check_sound() -> None:
    """Wagtail finds nothing to repair, and has nothing to index anew."""
    check_tree()
    before = indexed()
    call_command("rebuild_references_index", verbosity=0)
    call_command("update_index", verbosity=0)
    references, entries = indexed()
    assert references == before[0]
    assert entries == before[1]


def check_tree() -> None:
    Page = swapper.load_model("wagtailcore", "Page")
    assert not any(Page.find_problems())


def indexed() -> tuple[Any, ...]:
    references = ReferenceIndex.objects.values_list(
        *("base_content_type", "object_id", "to_content_type", "to_object_id"),
        *("model_path", "content_path"),
    )
    # A related term whose page was moved away keeps its reference to the page.
    known = ContentType.objects.get_for_model(RelatedTerm)
    references = references.exclude(base_content_type=known, model_path="page")
    entries = get_search_backend().get_index_for_model(TermPage).entries.model.objects
    # What the migrations have made was never indexed.
    types = ContentType.objects.get_for_models(TermPage, CourseTermPage, RelatedTerm)
    rows = [
        {name: value for name, value in row.items() if name not in ("id", "title_norm")}
        for row in entries.filter(content_type__in=types.values()).values()
    ]
    key = lambda row: (row["content_type_id"], row["object_id"])  # noqa: E731
    return sorted(references), sorted(rows, key=key)


# The same tables


def test_new_terms(
    bulk: GlossaryPage, hand: GlossaryPage, user: Any, tmp_path: Path
) -> None:
    assert "3 new" in run(write(tmp_path, *RECORDS), user="editor")
    make_by_hand(bulk, hand, user)
    created = [(slug, "glossary.import_create") for slug in ("token", "embedding")]
    check_equal(bulk, hand, [*created, ("bare", "glossary.import_create")])
    check_sound()


def test_new_drafts(
    bulk: GlossaryPage, hand: GlossaryPage, user: Any, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS), user="editor", draft=True)
    make_by_hand(bulk, hand, user, publish=False)
    assert not bulk.terms.live().exists()
    check_equal(bulk, hand)
    check_sound()


def test_new_terms_of_the_system_have_no_user(
    bulk: GlossaryPage, hand: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS))
    make_by_hand(bulk, hand, None)
    check_equal(bulk, hand)
    assert set(PageLogEntry.objects.values_list("user", flat=True)) == {None}


CHANGES = {
    "title": {"term": "A token", "h1": "What is that?"},
    "links exchanged": {
        "relatedTerms": [
            {"slug": "vector", "name": "Vector"},
            {"slug": "bare", "name": "Bare", "kind": "see_also"},
        ]
    },
    "labels exchanged": {"labels": ["tok", {"text": "tokens", "kind": "hidden"}]},
    "tags": {"tags": ["maths", "text"]},
    "category": {"category": "maths"},
    "no category": {"category": "", "tags": [], "labels": [], "relatedTerms": []},
    "streams": {
        "faq": [{"question": "How long is it?", "answer": "Very."}],
        "vsRelatedConcepts": [{"term": "Bare", "comparison": "Less."}],
        "relatedFeatures": ["features/chat", "features/search"],
        "howItWorks": "",
    },
}


@pytest.mark.parametrize(
    ("name", "draft"),
    [
        *((name, False) for name in CHANGES),
        *((name, True) for name in ("title", "links exchanged", "streams")),
    ],
)
def test_changed_terms(
    bulk: GlossaryPage,
    hand: GlossaryPage,
    user: Any,
    tmp_path: Path,
    name: str,
    draft: bool,
) -> None:
    run(write(tmp_path, *RECORDS), user="editor")
    make_by_hand(bulk, hand, user)
    changed = record("token", **CHANGES[name])
    assert "1 changed" in run(
        write(tmp_path, changed, *RECORDS[1:]), user="editor", draft=draft
    )
    change_by_hand(bulk, hand, user, "token", publish=not draft)
    check_equal(
        bulk,
        hand,
        [
            *[(entry["slug"], "glossary.import_create") for entry in RECORDS],
            ("token", "glossary.import_update"),
        ],
    )
    check_sound()


def test_links_and_labels_that_exchange_their_places(
    bulk: GlossaryPage, hand: GlossaryPage, user: Any, tmp_path: Path
) -> None:
    links = [{"slug": slug, "name": slug} for slug in ("a", "b", "c")]
    run(write(tmp_path, record(relatedTerms=links, labels=["x", "y"])), user="editor")
    make_by_hand(bulk, hand, user)
    ids = {
        link.related_term.slug: link.pk
        for link in TermLink.objects.filter(related_term__glossary=bulk)
    }
    run(
        write(tmp_path, record(relatedTerms=links[::-1], labels=["y", "x"])),
        user="editor",
    )
    change_by_hand(bulk, hand, user, "token")
    check_equal(bulk, hand)
    # What stays is the same row, which comments and references may know.
    assert ids == {
        link.related_term.slug: link.pk
        for link in TermLink.objects.filter(related_term__glossary=bulk)
    }


def test_terms_of_a_sites_own_type(user: Any, tmp_path: Path) -> None:
    bulk, hand = (
        home_page().add_child(instance=CoursePage(title=slug, slug=slug))
        for slug in ("ai", "by-hand")
    )
    run(write(tmp_path, *RECORDS), user="editor")
    make_by_hand(bulk, hand, user)
    assert {type(term.specific) for term in bulk.terms} == {CourseTermPage}
    check_equal(bulk, hand)
    for glossary in (bulk, hand):
        term = glossary.terms.get(slug="token").specific
        term.level = "first"
        term.save_revision(user=user).publish(user=user)
    changed = record("token", term="Renamed", **CHANGES["streams"])
    run(write(tmp_path, changed, *RECORDS[1:]), user="editor")
    change_by_hand(bulk, hand, user, "token")
    assert bulk.terms.get(slug="token").specific.level == "first"
    check_equal(bulk, hand)
    check_sound()


def test_orphans_that_are_unpublished(
    bulk: GlossaryPage, hand: GlossaryPage, user: Any, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS), user="editor")
    make_by_hand(bulk, hand, user)
    run(
        write(tmp_path, *RECORDS[1:]),
        user="editor",
        orphans="unpublish",
        orphan_limit=50,
        yes=True,
    )
    hand.terms.get(slug="token").specific.unpublish(user=user)
    check_equal(bulk, hand)
    actions = PageLogEntry.objects.filter(action="glossary.import_unpublish")
    assert [entry.page_id for entry in actions] == [bulk.terms.get(slug="token").pk]
    check_sound()


def test_the_tree_has_room_behind_terms_that_were_moved_away(
    bulk: GlossaryPage, hand: GlossaryPage, user: Any, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS))
    bulk.terms.get(slug="embedding").delete()
    bulk.refresh_from_db()
    bulk.terms.get(slug="token").move(hand, pos="last-child")
    run(write(tmp_path, record("later"), record("last")))
    check_tree()
    assert [term.slug for term in bulk.terms.order_by("path")] == [
        "bare",
        "later",
        "last",
    ]
    bulk.refresh_from_db()
    bulk.add_child(instance=TermPage(title="By hand", short_definition="Also."))
    check_tree()


def test_fixtree_finds_nothing(
    bulk: GlossaryPage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(write(tmp_path, *RECORDS))
    call_command("fixtree", interactive=False)
    assert "No problems found" in capsys.readouterr().out


def test_a_search_finds_each_term(bulk: GlossaryPage, tmp_path: Path) -> None:
    run(write(tmp_path, *RECORDS))
    for slug in ("token", "embedding", "bare"):
        found = TermPage.objects.live().search(f"What {slug} means")
        assert slug in {term.slug for term in found}
    assert [term.slug for term in TermPage.objects.search("emb")] == ["embedding"]
    known = get_search_backend().search("Vector", RelatedTerm)
    assert [related_term.slug for related_term in known] == ["vector"]
    run(write(tmp_path, record(shortDefinition="A xylophone."), *RECORDS[1:]))
    assert [term.slug for term in TermPage.objects.search("xylophone")] == ["token"]


# What others are told


@pytest.fixture
def told() -> Iterator[list[tuple[str, str, bool]]]:
    """Each signal that is sent: its name, the term, and whether it is in a
    transaction."""
    found: list[tuple[str, str, bool]] = []
    outside = len(transaction.get_connection().savepoint_ids)
    signals = {
        "page_published": page_published,
        "published": published,
        "page_unpublished": page_unpublished,
        "unpublished": unpublished,
    }

    def listen(name: str) -> Callable[..., None]:
        def receive(sender: type, instance: Any, **kwargs: Any) -> None:
            inside = len(transaction.get_connection().savepoint_ids) > outside
            found.append((name, instance.slug, inside))

        return receive

    receivers = {name: listen(name) for name in signals}
    for name, signal in signals.items():
        signal.connect(receivers[name])
    yield found
    for name, signal in signals.items():
        signal.disconnect(receivers[name])


def test_signals_are_sent_once_for_each_page_when_all_is_stored(
    bulk: GlossaryPage,
    tmp_path: Path,
    told: list[tuple[str, str, bool]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    runs = []

    def receive(sender: type, run: ImportRun, **kwargs: Any) -> None:
        runs.append((sender, run.pk, run.status))

    terms_imported.connect(receive)
    try:
        with django_capture_on_commit_callbacks() as callbacks:
            run(write(tmp_path, *RECORDS))
            assert told == []  # not before the transaction is over
        for callback in callbacks:
            callback()
    finally:
        terms_imported.disconnect(receive)
    assert runs == [(ImportRun, ImportRun.objects.get().pk, "finished")]
    slugs = [entry["slug"] for entry in RECORDS]
    expected = [
        (name, slug, False)
        for name in ("page_published", "published")
        for slug in slugs
    ]
    assert sorted(told) == sorted(expected)

    told.clear()
    with django_capture_on_commit_callbacks(execute=True):
        run(write(tmp_path, record(h1="New"), *RECORDS[2:]), orphans="report")
    assert sorted(told) == [
        ("page_published", "token", False),
        ("published", "token", False),
    ]

    told.clear()
    with django_capture_on_commit_callbacks(execute=True):
        run(
            write(tmp_path, record(h1="New"), *RECORDS[2:]),
            orphans="unpublish",
            orphan_limit=50,
            yes=True,
        )
    assert sorted(told) == [
        ("page_unpublished", "embedding", False),
        ("unpublished", "embedding", False),
    ]


def test_drafts_and_runs_that_write_nothing_send_no_signal(
    bulk: GlossaryPage,
    tmp_path: Path,
    told: list[tuple[str, str, bool]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    runs = []

    def receive(sender: type, run: ImportRun, **kwargs: Any) -> None:
        runs.append(run.pk)

    with django_capture_on_commit_callbacks(execute=True):
        run(write(tmp_path, *RECORDS), draft=True)
    assert told == []
    terms_imported.connect(receive)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            run(write(tmp_path, *RECORDS))
    finally:
        terms_imported.disconnect(receive)
    assert told == []
    assert runs == []


def test_aliases_follow_an_imported_term(
    bulk: GlossaryPage, hand: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS))
    term = bulk.terms.get(slug="token").specific
    alias = term.create_alias(parent=hand)
    run(write(tmp_path, record(h1="New", **CHANGES["streams"]), *RECORDS[1:]))
    alias = TermPage.objects.get(pk=alias.pk)
    assert (alias.heading, len(alias.faq)) == ("New", 1)
    run(
        write(tmp_path, *RECORDS[1:]),
        orphans="unpublish",
        orphan_limit=50,
        yes=True,
    )
    alias.refresh_from_db()
    assert not alias.live
    check_tree()


# What is done to them later, in the admin


@pytest.fixture
def admin(client: Client, user: Any) -> Client:
    client.force_login(user)
    return client


@pytest.fixture
def both(
    bulk: GlossaryPage, hand: GlossaryPage, user: Any, tmp_path: Path
) -> tuple[GlossaryPage, GlossaryPage]:
    """Glossaries of the same terms: one imported, one made by hand."""
    run(write(tmp_path, *RECORDS), user="editor")
    make_by_hand(bulk, hand, user)
    return bulk, hand


def address(name: str, page: Any, *more: Any) -> str:
    return reverse(f"wagtailadmin_pages:{name}", args=(page.pk, *more))


def term_form(page: TermPage, **fields: Any) -> dict[str, Any]:
    """The edit form as a browser sends it, with its rows."""
    values: dict[str, Any] = {
        "title": page.title,
        "slug": page.slug,
        "heading": page.heading,
        "short_definition": page.short_definition,
        "category": page.category_id or "",
        "tags": ", ".join(f'"{tag}"' for tag in page.tags.names()),
        "comments": inline_formset([]),
        "explanation": streamfield([]),
        "comparisons": streamfield([]),
        "faq": streamfield(
            [
                (
                    "question",
                    {
                        "question": child.value["question"],
                        "answer": rich_text(child.value["answer"].source),
                    },
                )
                for child in page.faq
            ]
        ),
        "related_features": streamfield([]),
        "related_terms": formset(
            page.related_terms.all(), related_term="related_term_id", kind="kind"
        ),
        "labels": formset(
            page.labels.all(), text="text", kind="kind", case_rule="case_rule"
        ),
        **fields,
    }
    for name in SEO:
        if hasattr(page, name):
            values.setdefault(name, getattr(page, name))
    return nested_form_data(values)


def formset(rows: Any, **names: str) -> dict[str, str]:
    return inline_formset(
        [
            {
                "id": str(row.pk),
                "ORDER": str(position),
                **{field: str(getattr(row, name)) for field, name in names.items()},
            }
            for position, row in enumerate(rows, start=1)
        ],
        initial=len(rows),
    )


def edit(admin: Client, page: TermPage, glossary: GlossaryPage) -> None:
    assert admin.get(address("edit", page)).status_code == 200
    form = term_form(page, heading="Edited", tags="text, new")
    response = admin.post(address("edit", page), {**form, "action-publish": "publish"})
    assert response.status_code == 302, response.context["form"].errors
    page.refresh_from_db()
    assert (page.heading, page.live) == ("Edited", True)


def edit_draft(admin: Client, page: TermPage, glossary: GlossaryPage) -> None:
    response = admin.post(address("edit", page), term_form(page, heading="Drafted"))
    assert response.status_code == 302, response.context["form"].errors
    page.refresh_from_db()
    assert page.has_unpublished_changes
    assert latest(page).heading == "Drafted"


def rename(admin: Client, page: TermPage, glossary: GlossaryPage) -> None:
    form = term_form(page, title="Renamed", slug="renamed")
    response = admin.post(address("edit", page), {**form, "action-publish": "publish"})
    assert response.status_code == 302, response.context["form"].errors
    known = RelatedTerm.objects.get(glossary=glossary, slug="renamed")
    assert known.page_id == page.pk


def unpublish(admin: Client, page: TermPage, glossary: GlossaryPage) -> None:
    assert admin.post(address("unpublish", page)).status_code == 302
    page.refresh_from_db()
    assert not page.live


def delete(admin: Client, page: TermPage, glossary: GlossaryPage) -> None:
    assert admin.get(address("delete", page)).status_code == 200
    assert admin.post(address("delete", page)).status_code == 302
    assert RelatedTerm.objects.get(glossary=glossary, slug=page.slug).is_wanted


def copy(admin: Client, page: TermPage, glossary: GlossaryPage) -> None:
    response = admin.post(
        address("copy", page),
        {
            "new_title": "A copy",
            "new_slug": "a-copy",
            "new_parent_page": glossary.pk,
            "publish_copies": "on",
        },
    )
    assert response.status_code == 302
    copied = glossary.terms.get(slug="a-copy")
    assert [label.text for label in copied.labels.all()] == ["tokens"]
    assert copied.live


def copy_as_alias(admin: Client, page: TermPage, glossary: GlossaryPage) -> None:
    form = {"new_title": "An alias", "new_slug": "alias"}
    form |= {"new_parent_page": glossary.pk, "alias": "on"}
    assert admin.post(address("copy", page), form).status_code == 302
    alias = glossary.terms.get(slug="alias")
    assert alias.alias_of_id == page.pk
    assert admin.post(address("convert_alias", alias)).status_code == 302
    alias.refresh_from_db()
    assert alias.alias_of_id is None


def revert(admin: Client, page: TermPage, glossary: GlossaryPage) -> None:
    edit(admin, page, glossary)
    first = page.revisions.order_by("pk").first()
    url = address("revisions_revert", page, first.pk)
    assert admin.get(url).status_code == 200
    form = term_form(page, heading="As it was", revision=first.pk)
    response = admin.post(address("edit", page), {**form, "action-publish": "publish"})
    assert response.status_code == 302
    page.refresh_from_db()
    assert page.heading == "As it was"


@pytest.mark.parametrize(
    "act",
    [edit, edit_draft, rename, unpublish, delete, copy, copy_as_alias, revert],
    ids=lambda act: act.__name__,
)
def test_later_actions_leave_the_same_tables(
    admin: Client,
    both: tuple[GlossaryPage, GlossaryPage],
    act: Callable[[Client, TermPage, GlossaryPage], None],
) -> None:
    for glossary in both:
        act(admin, glossary.terms.get(slug="token").specific, glossary)
    dumps = [Dump(glossary).all() for glossary in both]
    for dump in dumps:
        for row in dump["pages"]:  # new blocks get new ids
            forget_ids(row)
        for row in dump["revisions"]:
            forget_ids(row["content"])
        dump["references"] = sorted({row[:-1] for row in dump["references"]})
        dump["log"] = [
            row for row in dump["log"] if not row[1].startswith("glossary.import")
        ]
    for table in dumps[0]:
        assert dumps[0][table] == dumps[1][table], table
    check_tree()


def forget_ids(row: dict[str, Any]) -> None:
    for name in STREAMS:
        for child in row[name]:
            child.pop("id")
            for field, value in child["value"].items():
                if isinstance(value, str):
                    text = re.sub(r' data-block-key="\w+"', "", value)
                    child["value"][field] = text


def test_a_term_is_moved_to_another_glossary_in_the_admin(
    admin: Client, bulk: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS))
    other = make_glossary("other")
    term = bulk.terms.get(slug="token").specific
    url = address("move_confirm", term, other.pk)
    assert admin.post(url).status_code == 302
    term = other.terms.get(slug="token").specific
    assert {link.related_term.glossary_id for link in term.related_terms.all()} == {
        other.pk
    }
    check_sound()
    # It stays tied to its record, and is written where it is.
    run(write(tmp_path, record(h1="There"), *RECORDS[1:]))
    term = other.terms.get(slug="token").specific
    assert term.heading == "There"
    assert not bulk.terms.filter(slug="token").exists()
    assert {link.related_term.glossary_id for link in term.related_terms.all()} == {
        other.pk
    }
    check_sound()


def test_its_history_can_be_read_and_compared(
    admin: Client, bulk: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS))
    run(write(tmp_path, record(h1="Anew", **CHANGES["streams"]), *RECORDS[1:]))
    term = bulk.terms.get(slug="token")
    history = admin.get(address("history", term)).content.decode()
    assert "import" in history.lower()
    first, second = term.revisions.order_by("pk")
    compared = admin.get(
        address("revisions_compare", term, first.pk, second.pk)
    ).content.decode()
    assert "Anew" in compared
    assert admin.get(address("usage", term)).status_code == 200
    url = address("view_draft", term)
    assert "Anew" in admin.get(url).content.decode()
    assert "Anew" in admin.get(term.get_url()).content.decode()


def test_it_is_copied_for_translation(
    admin: Client, bulk: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS))
    french = Locale.objects.create(language_code="fr")
    home_page().copy_for_translation(french)
    other = bulk.copy_for_translation(french)
    term = bulk.terms.get(slug="token").specific
    url = reverse("simple_translation:submit_page_translation", args=(term.pk,))
    response = admin.post(url, {"locales": [french.pk]})
    assert response.status_code == 302
    translated = other.terms.get().specific
    assert translated.translation_key == term.translation_key
    assert {link.related_term.locale for link in translated.related_terms.all()} == {
        french
    }
    check_sound()


def test_no_two_terms_have_the_same_translation_key(
    bulk: GlossaryPage, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS))
    keys = set(bulk.terms.values_list("translation_key", flat=True))
    assert len(keys) == len(RECORDS)


def test_an_editors_comment_stays_on_a_term_that_is_imported_again(
    bulk: GlossaryPage, user: Any, tmp_path: Path
) -> None:
    run(write(tmp_path, *RECORDS))
    term = bulk.terms.get(slug="token").specific
    Comment.objects.create(page=term, user=user, text="Really?", contentpath="heading")
    run(write(tmp_path, record(h1="New"), *RECORDS[1:]))
    term = bulk.terms.get(slug="token").specific
    assert [comment.text for comment in term.wagtail_admin_comments.all()] == [
        "Really?"
    ]
    content = term.get_latest_revision().content
    assert [each["text"] for each in content["wagtail_admin_comments"]] == ["Really?"]
