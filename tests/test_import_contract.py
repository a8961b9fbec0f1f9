"""Imports and editors at work on the same terms, in any order, against a small model.

The model knows what the last import said of each field, and every word that a person
has typed. Hypothesis looks for an order of actions in which an import loses one.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import swapper
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from wagtail.models import ModelLogEntry, PageLogEntry, ReferenceIndex, Revision

from glossary.content import page_content
from glossary.importing.options import OnConflict, Options
from glossary.importing.report import Outcome
from glossary.importing.run import Import
from glossary.importing.staging import Staging
from glossary.importing.undo import Undo
from glossary.models import (
    Category,
    GlossaryPage,
    ImportPayload,
    ImportRecord,
    ImportRun,
    RelatedTerm,
    TermLabel,
    TermLink,
    TermPage,
)
from glossary.payload.sources import read_sources

from .factories import make_glossary, make_term, section


pytestmark = pytest.mark.slow


KEYS = ("anchor", "buffer", "cache")
SCALARS = ("heading", "short_definition")
SLOTS = (*SCALARS, "title", "explanation", "answer", "question")
QUESTION = "What is it for?"
WRITTEN = (
    *(TermPage, RelatedTerm, Category, TermLink, TermLabel, ImportRecord),
    *(ImportPayload, Revision, PageLogEntry, ModelLogEntry, ReferenceIndex),
)

Payload = Mapping[str, tuple[int, int, int]]
"""By key, which of its wordings the heading, the definition and the answer have."""

payloads = st.dictionaries(
    st.sampled_from(KEYS),
    st.tuples(*[st.integers(0, 2)] * 3),
    min_size=1,
)
keys = st.sampled_from(KEYS)


def record(key: str, heading: int, definition: int, answer: int) -> dict[str, Any]:
    other = KEYS[(KEYS.index(key) + 1) % len(KEYS)]
    return {
        "slug": key,
        "term": key.capitalize(),
        "h1": wording("heading", heading),
        "shortDefinition": wording("short_definition", definition),
        "explanation": f"All about *{key}*.",
        "faq": [
            {"question": QUESTION, "answer": f"Answer {answer}."},
            {"question": "Who needs it?", "answer": "Everyone."},
        ],
        "relatedTerms": [{"slug": other, "name": other.capitalize()}],
        "category": "parts",
    }


def wording(field: str, number: int) -> str:
    return f"{field} in wording {number}"


def wordings(payload: Payload, key: str) -> dict[str, str]:
    heading, definition, _answer = payload[key]
    return {
        "heading": wording("heading", heading),
        "short_definition": wording("short_definition", definition),
    }


def everything() -> list[Any]:
    """Every row that an import could write but for those that tell of runs."""
    return [list(model.objects.order_by("pk").values()) for model in WRITTEN]


class Seen:
    """A page as it is now: what visitors and what its editors see."""

    def __init__(self, pk: int) -> None:
        self.page = TermPage.objects.get(pk=pk).specific
        self.latest = self.page.get_latest_revision_as_object()
        self.content = page_content(self.latest)
        self.live_content = page_content(self.page)
        self.is_draft = self.page.has_unpublished_changes
        self.is_hindered = self.page.locked or self.page.workflow_in_progress

    def text(self) -> str:
        return json.dumps(self.content)


class Merge:
    """What is to come of one field: the rule, told once more."""

    def __init__(self, base: str | None, ours: str, theirs: str) -> None:
        takes = ours == base or (base is None and not ours)
        keeps = theirs in (ours, base)
        self.is_conflict = not takes and not keeps
        self.value = ours if keeps or self.is_conflict else theirs


class ImportsAndEditors(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.numbers = count(1)
        self.pages: dict[str, int] = {}
        """By key, the page that the imports write."""
        self.bases: dict[str, dict[str, str]] = {}
        self.words: dict[int, dict[str, str]] = {}
        """By page and slot, the word that a person typed there last."""
        self.typed: dict[int, set[str]] = {}
        self.runs: list[tuple[ImportRun, dict[str, dict[str, str]]]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize()
    def two_glossaries(self) -> None:
        self.glossary = make_glossary("ai")
        self.other_glossary = make_glossary("words")
        self.editor = get_user_model().objects.create_superuser("ada", "a@b.test", "x")

    # Imports

    @rule(
        payload=payloads,
        policy=st.sampled_from([each for each in OnConflict if each != "fail"]),
        draft=st.sampled_from([False, False, False, True]),
        adopt=st.booleans(),
    )
    def imports(
        self, payload: Payload, policy: OnConflict, draft: bool, adopt: bool
    ) -> None:
        before = {page.pk: Seen(page.pk) for page in TermPage.objects.all()}
        former_bases = deepcopy(self.bases)
        former_pages = set(self.pages.values())
        untouched = self.untouched()
        options = Options(on_conflict=policy, draft=draft, adopt=adopt)
        results = self.run_import(payload, options)
        self.runs.append((self.last_run, former_bases))
        self.learn_pages()
        for key in payload:
            pk = self.pages.get(key)
            if pk in before:
                if pk not in former_pages:
                    self.bases.pop(key, None)
                is_withdrawn = key in untouched and not self.bases.get(key)
                self.check_merge(
                    key, payload, before[pk], results[key], policy, key in untouched
                )
                # What an undo took off the site comes back.
                if not is_withdrawn:
                    self.check_draft(key, before[pk], draft)
            elif pk:
                self.bases[key] = wordings(payload, key)
        self.check_proposals(payload, results)
        self.forget_replaced(policy, before, untouched)

    @rule(payload=payloads)
    def imports_unless_in_conflict(self, payload: Payload) -> None:
        before = everything()
        former_bases = deepcopy(self.bases)
        seen = {key: Seen(pk) for key, pk in self.pages.items()}
        results = self.run_import(payload, Options(on_conflict=OnConflict.FAIL))
        if self.last_run.status == ImportRun.Status.STOPPED:
            assert everything() == before
            return
        assert Outcome.CONFLICT not in {result.outcome for result in results.values()}
        self.runs.append((self.last_run, former_bases))
        self.learn_pages()
        for key in payload:
            if key in self.pages and not (
                key in seen and results[key].outcome is Outcome.BLOCKED
            ):
                self.bases[key] = wordings(payload, key)

    @rule(payload=payloads, policy=st.sampled_from(["draft", "ours", "theirs", "skip"]))
    def imports_twice(self, payload: Payload, policy: str) -> None:
        options = Options(on_conflict=OnConflict(policy))
        self.imports(payload, options.on_conflict, draft=False, adopt=False)
        before = everything()
        self.run_import(payload, options)
        assert everything() == before

    def run_import(self, payload: Payload, options: Options) -> dict[str, Any]:
        results = {}
        with tempfile.TemporaryDirectory() as folder, Staging() as staging:
            file = Path(folder) / "terms.jsonl"
            lines = (json.dumps(record(key, *payload[key])) for key in payload)
            file.write_text("\n".join(lines))
            list(staging.add(read_sources([file])))
            work = Import(
                *(staging, self.glossary, options),
                on_result=lambda result: results.update({result.key: result}),
            )
            self.last_run = work.apply()
        if self.last_run.status == ImportRun.Status.FINISHED:
            counts = Counter(self.last_run.counts)
            assert counts.total() - counts["orphan"] == len(payload)
            assert work.counts.records == len(payload) == self.last_run.total
            orphans = {key for key in results if key not in payload}
            assert len(orphans) == counts["orphan"]
        return results

    def untouched(self) -> set[str]:
        """The keys of pages that are just as an import made them."""
        known = ImportRecord.objects.exclude(page=None).select_related("page")
        return {
            each.key
            for each in known
            if each.revision and each.revision == each.page.latest_revision_id
        }

    def learn_pages(self) -> None:
        known = ImportRecord.objects.exclude(page=None).values_list("key", "page")
        self.pages = dict(known)
        for pk in self.pages.values():
            self.words.setdefault(pk, {})
            self.typed.setdefault(pk, set())

    def check_merge(
        self,
        key: str,
        payload: Payload,
        before: Seen,
        result: Any,
        policy: OnConflict,
        is_untouched: bool,
    ) -> None:
        """The fields are as the rule has them, and the base as the next run needs."""
        after = Seen(self.pages[key])
        base, theirs = self.bases.get(key, {}), wordings(payload, key)
        if is_untouched and not base:
            # An import made it, an undo took it back, and nobody has been at it since.
            base = {name: before.content[name] for name in SCALARS}
        if before.is_hindered:
            assert after.content == before.content
            assert result.outcome in {
                *(Outcome.BLOCKED, Outcome.UNCHANGED, Outcome.CONFLICT),
                *(Outcome.MERGE, Outcome.UPDATE),
            }
            if result.outcome is Outcome.BLOCKED:
                return
        merged = {
            name: Merge(base.get(name), before.content[name], theirs[name])
            for name in SCALARS
        }
        if policy is OnConflict.SKIP and result.outcome is Outcome.CONFLICT:
            assert after.content == before.content
            return
        if policy is OnConflict.THEIRS and before.is_draft and not is_untouched:
            policy = OnConflict.DRAFT
        for name, each in merged.items():
            takes = each.is_conflict and policy is OnConflict.THEIRS
            expected = theirs[name] if takes else each.value
            assert after.content[name] == expected, (key, name, result)
            if each.is_conflict:
                assert result.outcome is Outcome.CONFLICT
            if not (each.is_conflict and policy is OnConflict.DRAFT):
                base[name] = theirs[name]
        self.bases[key] = base

    def check_draft(self, key: str, before: Seen, draft: bool) -> None:
        """What a person has not published yet stays so, and is not published for them;
        what is not live stays off the site."""
        after = Seen(self.pages[key])
        if before.is_draft or draft:
            assert after.live_content == before.live_content
            assert after.page.live == before.page.live
        if before.is_draft:
            assert after.is_draft

    def check_proposals(self, payload: Payload, results: Mapping[str, Any]) -> None:
        for each in ImportRecord.objects.filter(key__in=payload).exclude(page=None):
            if each.proposal:
                outcome = results[each.key].outcome
                assert outcome in {Outcome.CONFLICT, Outcome.BLOCKED}
                content = Seen(each.page_id).content
                for name, proposed in each.proposal.items():
                    assert content[name] != proposed

    def forget_replaced(
        self, policy: OnConflict, before: Mapping[int, Seen], untouched: set[str]
    ) -> None:
        """What a run replaced because it was told to need not be there any more; but
        never what nobody had published."""
        if policy is not OnConflict.THEIRS:
            return
        for key, pk in self.pages.items():
            seen = before.get(pk)
            if seen is None or (seen.is_draft and key not in untouched):
                continue
            text, words = Seen(pk).text(), self.words[pk]
            for slot in [slot for slot, word in words.items() if word not in text]:
                del words[slot]

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def undoes(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.runs) - 1))
        run, former_bases = self.runs[number]
        bases = deepcopy(self.bases)
        results: dict[str, Any] = {}
        undo = Undo(run, on_result=lambda result: results.update({result.key: result}))
        undone = undo.apply()
        assert undone.status == ImportRun.Status.FINISHED
        assert undo.counts.records == undo.total == len(results)
        self.runs.append((undone, bases))
        for key, result in results.items():
            if result.outcome is Outcome.UPDATE:
                self.bases[key] = deepcopy(former_bases.get(key, {}))
        if run.kind == ImportRun.Kind.UNDO:
            # It takes back what was gone back to, words that had come back as well.
            for pk, words in self.words.items():
                text = Seen(pk).text()
                for slot in [slot for slot, word in words.items() if word not in text]:
                    del words[slot]

    # Editors

    def page(self, key: str) -> Seen | None:
        """The page of a key, if an editor can edit it now."""
        pk = self.pages.get(key)
        if pk is None:
            pk = TermPage.objects.filter(slug=key).values_list("pk", flat=True).first()
        seen = pk and Seen(pk)
        return seen if seen and not seen.is_hindered else None

    def save(self, page: Any, publishes: bool) -> None:
        revision = page.save_revision(user=self.editor)
        if publishes:
            revision.publish(user=self.editor)

    @rule(key=keys, slot=st.sampled_from(SLOTS), publishes=st.booleans())
    def an_editor_writes(self, key: str, slot: str, publishes: bool) -> None:
        seen = self.page(key)
        if seen is None:
            return
        page, word = seen.latest, f"canary{next(self.numbers)}."
        if slot in (*SCALARS, "title"):
            setattr(page, slot, f"Typed {word}")
        elif slot == "explanation":
            page.explanation = [section(f"<p>Typed {word}</p>")]
        else:
            faq = [(child.block_type, dict(child.value)) for child in page.faq]
            if slot == "question":
                asked = {"question": f"Asked {word}", "answer": "<p>So.</p>"}
                faq = [each for each in faq if "Asked" not in each[1]["question"]]
                faq.append(("question", asked))
            else:
                answered = [each for _type, each in faq if each["question"] == QUESTION]
                if not answered:
                    return
                answered[0]["answer"] = f"<p>Typed {word}</p>"
            page.faq = faq
        self.words.setdefault(page.pk, {})[slot] = word
        self.typed.setdefault(page.pk, set()).add(word)
        self.save(page, publishes)

    @rule(key=keys, number=st.integers(0, 2), publishes=st.booleans())
    def an_editor_writes_what_a_payload_says(
        self, key: str, number: int, publishes: bool
    ) -> None:
        if seen := self.page(key):
            seen.latest.heading = wording("heading", number)
            self.words.get(seen.page.pk, {}).pop("heading", None)
            self.save(seen.latest, publishes)

    @rule(key=keys)
    def an_editor_makes_a_page(self, key: str) -> None:
        taken = TermPage.objects.in_glossary(self.glossary).filter(slug=key)
        if taken.exists():
            return
        word = f"canary{next(self.numbers)}."
        page = make_term(self.glossary, key, short_definition=f"By hand: {word}")
        self.words[page.pk] = {"short_definition": word}
        self.typed[page.pk] = {word}

    @rule(key=keys)
    def an_editor_unpublishes(self, key: str) -> None:
        seen = self.page(key)
        if seen and seen.page.live:
            seen.page.unpublish(user=self.editor)

    @rule(key=keys, slug=st.sampled_from([*KEYS, "renamed", "renamed-too"]))
    def an_editor_renames(self, key: str, slug: str) -> None:
        seen = self.page(key)
        if seen is None or seen.is_draft:
            return
        siblings = seen.page.get_siblings(inclusive=False)
        if not siblings.filter(slug=slug).exists():
            seen.latest.slug = slug
            # A term that is related to the one of this slug may not have it.
            with suppress(ValidationError):
                self.save(seen.latest, publishes=True)

    @rule(key=keys)
    def an_editor_moves(self, key: str) -> None:
        seen = self.page(key)
        if seen is None:
            return
        here = seen.page.get_parent().pk == self.glossary.pk
        target = self.other_glossary if here else self.glossary
        if not target.get_children().filter(slug=seen.page.slug).exists():
            target.refresh_from_db()
            seen.page.move(target, "last-child", user=self.editor)

    @rule(key=keys)
    def an_editor_deletes(self, key: str) -> None:
        if seen := self.page(key):
            seen.page.delete(user=self.editor)
            self.words.pop(seen.page.pk, None)
            self.typed.pop(seen.page.pk, None)
            self.pages.pop(key, None)
            self.bases.pop(key, None)

    @rule(key=keys)
    def an_editor_locks_or_unlocks(self, key: str) -> None:
        if pk := self.pages.get(key):
            page = TermPage.objects.get(pk=pk)
            page.locked = not page.locked
            page.save(update_fields=["locked"])

    @rule(key=keys)
    def an_editor_submits_or_cancels(self, key: str) -> None:
        if pk := self.pages.get(key):
            page = TermPage.objects.get(pk=pk)
            if page.workflow_in_progress:
                page.current_workflow_state.cancel(user=self.editor)
            elif not page.locked:
                page.get_workflow().start(page, self.editor)

    # What holds after each

    @invariant()
    def no_word_is_lost(self) -> None:
        for pk, words in self.words.items():
            text = Seen(pk).text()
            missing = {slot: word for slot, word in words.items() if word not in text}
            assert not missing, (TermPage.objects.get(pk=pk), missing)
            revisions = Revision.objects.filter(object_id=str(pk))
            history = json.dumps(list(revisions.values_list("content", flat=True)))
            assert all(word in history for word in self.typed[pk])

    @invariant()
    def the_tree_is_sound(self) -> None:
        Page = swapper.load_model("wagtailcore", "Page")
        assert not any(Page.find_problems())
        for glossary in GlossaryPage.objects.all():
            slugs = glossary.get_children().values_list("slug", flat=True)
            assert len(slugs) == len(set(slugs))

    @invariant()
    def each_page_has_one_key_and_its_links_at_home(self) -> None:
        known = list(ImportRecord.objects.exclude(page=None).values_list("page"))
        assert len(known) == len(set(known))
        for page in TermPage.objects.all():
            parent = page.get_parent().pk
            links = page.related_terms.values_list("related_term__glossary", flat=True)
            assert set(links) <= {parent}
            named = RelatedTerm.objects.filter(page=page)
            assert [each.glossary_id for each in named] in ([], [parent])

    @invariant()
    def pages_and_revisions_agree(self) -> None:
        for page in TermPage.objects.all():
            assert page.latest_revision_id
            if page.live and not page.has_unpublished_changes:
                latest = page.get_latest_revision_as_object()
                assert page_content(latest) == page_content(page)


@pytest.mark.django_db
def test_no_order_of_imports_and_edits_loses_a_word() -> None:
    default = settings()
    effort = default.max_examples
    run_state_machine_as_test(
        ImportsAndEditors,
        settings=settings(
            default,
            max_examples=15 if effort <= 50 else effort // 5,
            stateful_step_count=12 if effort <= 50 else 30,
            # To shrink what fails would take minutes; it is short enough as it is.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
@pytest.mark.parametrize("policy", ["draft", "ours", "theirs", "skip"])
def test_the_same_conflict_once_more_writes_nothing(policy: str) -> None:
    machine = ImportsAndEditors()
    try:
        machine.two_glossaries()
        machine.run_import({"anchor": (0, 0, 0)}, Options())
        machine.learn_pages()
        machine.an_editor_writes(key="anchor", slot="heading", publishes=True)
        options = Options(on_conflict=OnConflict(policy))
        results = machine.run_import({"anchor": (1, 1, 1)}, options)
        assert results["anchor"].outcome is Outcome.CONFLICT
        before = everything()
        machine.run_import({"anchor": (1, 1, 1)}, options)
        assert everything() == before
    finally:
        machine.teardown()


@pytest.mark.django_db
def test_a_page_with_the_slug_of_another_key_is_not_adopted_twice() -> None:
    machine = ImportsAndEditors()
    try:
        machine.two_glossaries()
        machine.run_import({"anchor": (0, 0, 0)}, Options())
        machine.learn_pages()
        machine.an_editor_renames(key="anchor", slug="cache")
        payload = {"anchor": (1, 1, 1), "cache": (2, 2, 2)}
        results = machine.run_import(payload, Options(adopt=True))
        assert results["anchor"].outcome in {Outcome.UPDATE, Outcome.MERGE}
        assert results["cache"].outcome is Outcome.CONFLICT
        assert TermPage.objects.get().slug == "cache"
        machine.each_page_has_one_key_and_its_links_at_home()
    finally:
        machine.teardown()
