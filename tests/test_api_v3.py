"""Terms in Wagtail's API v3: read by anyone, written by the holders of tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import swapper
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from wagtail.api.v3.urls import api
from wagtail.models import APIToken, GroupPagePermission

from glossary.models import Category, GlossaryPage, RelatedTerm, TermPage

from .factories import (
    comparison,
    make_category,
    make_glossary,
    make_related_term,
    make_term,
    question,
    section,
)


pytestmark = pytest.mark.django_db

PAGES = "/api/v3/pages/"
SNIPPETS = "/api/v3/snippets/"


@pytest.fixture(autouse=True)
def nothing_left_over() -> None:
    cache.clear()  # the sites of the test before


@pytest.fixture
def glossary() -> GlossaryPage:
    return make_glossary("ai")


class TokenClient(Client):
    """Sends and expects JSON, in the name of the user whose token it has."""

    def __init__(self, user: Any) -> None:
        _token, plaintext = APIToken.create_token(user=user, name="test")
        super().__init__(headers={"authorization": f"Bearer {plaintext}"})

    def send(
        self, method: str, url: str, data: Any = None, *, status: int = 200
    ) -> Any:
        response = self.generic(
            method, url, json.dumps(data), content_type="application/json"
        )
        assert response.status_code == status, response.content
        return response.json()


@pytest.fixture
def editor() -> TokenClient:
    user = get_user_model().objects.create_superuser("editor", "e@example.com", "-")
    return TokenClient(user)


def term_data(glossary: GlossaryPage, **fields: Any) -> dict[str, Any]:
    meta = {"type": "glossary.TermPage", "parent_id": glossary.pk}
    return {
        "meta": meta,
        "title": "Embedding",
        "short_definition": "A text as a list of numbers.",
        **fields,
    }


def block(block_type: str, **value: Any) -> dict[str, Any]:
    return {"type": block_type, "value": value}


def markdown(text: str) -> dict[str, str]:
    return {"format": "db_markdown", "content": text}


def values(children: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [child["value"] for child in children]


# The document


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    document = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    return document["components"]["schemas"]


def untyped(schema: Any, path: str = "") -> Iterator[str]:
    """The places in a schema that may hold anything."""
    if not {"type", "$ref", "anyOf", "allOf", "enum", "const"} & set(schema):
        yield path
    if schema.get("type") == "array":
        yield from untyped(schema.get("items", {}), f"{path}[]")
    if schema.get("type") == "object" and not schema.get("properties"):
        yield path
    for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from untyped(part, path)
    for name, part in schema.get("properties", {}).items():
        yield from untyped(part, f"{path}.{name}")


def reached(schema: Any, schemas: dict[str, Any], seen: set[str]) -> set[str]:
    """The names of all schemas that one refers to, directly or not."""
    for name in set(schemas) - seen:
        if f'/{name}"' in json.dumps(schema):
            seen.add(name)
            reached(schemas[name], schemas, seen)
    return seen


@pytest.mark.parametrize(
    "name",
    [
        f"{model}{use}Schema"
        for model in ("TermPage", "CourseTermPage", "GlossaryPage", "CoursePage")
        for use in ("", "Create", "Patch")
    ]
    + ["CategorySchema", "RelatedTermSchema"],
)
def test_every_type_is_exact(schemas: dict[str, Any], name: str) -> None:
    for used in reached({"$ref": f'/{name}"'}, schemas, {name}) | {name}:
        assert list(untyped(schemas[used], used)) == []


def shape(schema: Any, schemas: dict[str, Any]) -> Any:
    """A schema in short: names of types, lists and dictionaries of them."""
    if "$ref" in schema:
        return shape(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return tuple(shape(part, schemas) for part in schema["anyOf"])
    if schema["type"] == "array":
        return [shape(schema["items"], schemas)]
    if schema["type"] == "object":
        return {
            name: shape(part, schemas) for name, part in schema["properties"].items()
        }
    return schema.get("const", schema.get("enum", schema["type"]))


def test_the_structure_of_a_term_that_is_read(schemas: dict[str, Any]) -> None:
    term = shape(schemas["TermPageSchema"], schemas)
    reference = {
        "id": "integer",
        "slug": "string",
        "name": "string",
        "url": ("string", "null"),
    }
    [label] = term.pop("labels")
    del label["meta"], term["meta"]
    assert label == {
        "id": ("integer", "null"),
        "text": "string",
        "kind": "string",
        "case_rule": "string",
    }
    assert term == {
        "id": "integer",
        "title": "string",
        "heading": ("string", "null"),
        "short_definition": "string",
        "category": ({"slug": "string", "name": "string"}, "null"),
        "tags": ["string"],
        "explanation": [
            {
                "type": "section",
                "value": {"kind": "string", "heading": "string", "body": "string"},
                "id": "string",
            }
        ],
        "comparisons": [
            {
                "type": "comparison",
                "value": {
                    "related_term": (reference, "null"),
                    "name": "string",
                    "comparison": "string",
                },
                "id": "string",
            }
        ],
        "faq": [
            {
                "type": "question",
                "value": {"question": "string", "answer": "string"},
                "id": "string",
            }
        ],
        "related_features": [
            {
                "type": "feature",
                "value": {"path": "string", "label": "string"},
                "id": "string",
            }
        ],
        "related_terms": [
            {
                "id": ("integer", "null"),
                "kind": ["related", "see_also", "contrast", "broader", "narrower"],
                "related_term": reference,
            }
        ],
    }


def test_the_structure_of_a_term_that_is_written(schemas: dict[str, Any]) -> None:
    schema = schemas["TermPageCreateSchema"]
    assert schema["required"] == ["meta", "title", "short_definition"]
    term = shape(schema, schemas)
    rich_text = term["faq"][0]["value"]["answer"]
    assert rich_text[0] == "string"
    assert rich_text[1]["format"] == ["db_html", "db_markdown"]
    id_ = ("string", "null")
    assert term["explanation"] == [
        {
            "type": "section",
            "value": {"kind": "string", "heading": "string", "body": rich_text},
            "id": id_,
        }
    ]
    assert term["comparisons"] == [
        {
            "type": "comparison",
            "value": {
                "related_term": ("integer", "null"),
                "name": "string",
                "comparison": rich_text,
            },
            "id": id_,
        }
    ]
    assert term["related_terms"] == [{"kind": "string", "related_term_id": "integer"}]
    assert term["category_id"] == ("integer", "null")
    assert term["tags"] == ["string"]


@pytest.mark.slow
def test_the_document_and_its_page_are_served(client: Client) -> None:
    assert client.get("/api/v3/openapi.json").status_code == 200
    page = client.get("/api/v3/docs/")
    assert page.status_code == 200
    assert b"openapi.json" in page.content


# Reading


def test_both_apis_say_the_same_of_a_term(
    client: Client, glossary: GlossaryPage
) -> None:
    token = make_related_term(glossary, "token")
    term = make_term(
        glossary,
        heading="What is it?",
        category=make_category(),
        explanation=[section("<p>Text</p>", kind="in_chatbots")],
        comparisons=[comparison("", "<p>Differs</p>", token)],
        faq=[question("Why?", "<p>Because</p>")],
        related_terms=[(token, "narrower")],
        labels=[("emb", "abbreviation"), ("embeding", "hidden")],
        tags=["Data", "Text"],
    )
    v2 = client.get(f"/api/v2/terms/{term.pk}/").json()
    v3 = client.get(f"{PAGES}{term.pk}/").json()
    # What only our own endpoints know.
    assert v2.pop("backlinks_count") == 0
    more = {"last_published_at", "translation_key", "translations"}
    assert v2.pop("meta").keys() - more <= v3.pop("meta").keys()
    assert v2 == v3


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("db_html", '<p>A <a linktype="page" id="{pk}">b</a></p>'),
        ("html", '<p>A <a href="/ai/">b</a></p>'),
        ("db_markdown", "A [b](wagtail://page?id={pk})\n\n"),
        ("markdown", "A [b](/ai/)\n\n"),
    ],
)
def test_rich_text_comes_in_the_format_that_is_asked_for(
    client: Client, glossary: GlossaryPage, name: str, expected: str
) -> None:
    html = f'<p>A <a linktype="page" id="{glossary.pk}">b</a></p>'
    term = make_term(
        glossary,
        explanation=[section(html)],
        comparisons=[comparison("X", html)],
        faq=[question("Why?", html)],
    )
    glossary.introduction = html
    glossary.save()
    answer = client.get(f"{PAGES}{term.pk}/?rich_text_format={name}").json()
    expected = expected.format(pk=glossary.pk)
    assert answer["explanation"][0]["value"]["body"] == expected
    assert answer["comparisons"][0]["value"]["comparison"] == expected
    assert answer["faq"][0]["value"]["answer"] == expected
    answer = client.get(f"{PAGES}{glossary.pk}/?rich_text_format={name}").json()
    assert answer["introduction"] == expected


def test_an_unknown_format_is_refused(client: Client, glossary: GlossaryPage) -> None:
    url = f"{PAGES}{glossary.pk}/?rich_text_format=pdf"
    assert client.get(url).status_code == 422


def test_terms_are_found_by_type_and_address(
    client: Client, glossary: GlossaryPage
) -> None:
    term = make_term(glossary, "token")
    answer = client.get(f"{PAGES}?type=glossary.TermPage&heading=").json()
    assert [item["id"] for item in answer["items"]] == [term.pk]
    found = client.get(f"{PAGES}find/?html_path=/ai/token/")
    assert (found.status_code, found.url) == (302, f"{PAGES}{term.pk}/?")


# Writing


@pytest.mark.slow
def test_a_term_is_written_and_read_back(
    editor: TokenClient, client: Client, glossary: GlossaryPage
) -> None:
    category = make_category("research")
    token = make_related_term(glossary, "token")
    vector = make_related_term(glossary, "vector")
    created = editor.send(
        "POST",
        PAGES,
        term_data(
            glossary,
            heading="What is an embedding?",
            category_id=category.pk,
            tags=["Data", "machine learning"],
            explanation=[
                block(
                    "section",
                    kind="how_it_works",
                    heading="Numbers",
                    body=markdown("Some **bold** text\n\n- one\n- two"),
                )
            ],
            comparisons=[
                block("comparison", name="Vectors", comparison="<p>Short</p>"),
                block(
                    "comparison", related_term=token.pk, comparison=markdown("*Long*")
                ),
            ],
            faq=[block("question", question="Why?", answer=markdown("Because."))],
            related_features=[block("feature", path="features/search")],
            related_terms=[
                {"related_term_id": token.pk, "kind": "contrast"},
                {"related_term_id": vector.pk},
            ],
            labels=[{"text": "emb", "kind": "abbreviation", "case_rule": "exact"}],
        ),
        status=201,
    )
    pk = created["id"]
    assert client.get(f"{PAGES}{pk}/").status_code == 404
    assert editor.send("GET", f"{PAGES}{pk}/") == created

    answer = editor.send("GET", f"{PAGES}{pk}/?rich_text_format=markdown")
    assert answer["meta"]["slug"] == "embedding"
    assert answer["heading"] == "What is an embedding?"
    assert answer["category"] == {"slug": "research", "name": "Research"}
    assert sorted(answer["tags"]) == ["Data", "machine learning"]
    assert values(answer["explanation"]) == [
        {
            "kind": "how_it_works",
            "heading": "Numbers",
            "body": "Some **bold** text\n\n- one\n- two\n\n",
        }
    ]
    reference = {"id": token.pk, "slug": "token", "name": "Token", "url": None}
    assert values(answer["comparisons"]) == [
        {"related_term": None, "name": "Vectors", "comparison": "Short\n\n"},
        {"related_term": reference, "name": "", "comparison": "*Long*\n\n"},
    ]
    assert values(answer["faq"]) == [{"question": "Why?", "answer": "Because.\n\n"}]
    assert values(answer["related_features"]) == [
        {"path": "features/search", "label": ""}
    ]
    assert [
        (link["kind"], link["related_term"]["slug"]) for link in answer["related_terms"]
    ] == [("contrast", "token"), ("related", "vector")]
    [label] = answer["labels"]
    assert (label["text"], label["kind"]) == ("emb", "abbreviation")
    assert label["case_rule"] == "exact"

    published = editor.send("POST", f"{PAGES}{pk}/actions/publish/")
    assert client.get(f"{PAGES}{pk}/").json() == published
    assert client.get(f"/api/v2/terms/{pk}/").status_code == 200


@pytest.mark.slow
def test_a_change_leaves_the_rest_as_it_is(
    editor: TokenClient, client: Client, glossary: GlossaryPage
) -> None:
    token = make_related_term(glossary, "token")
    vector = make_related_term(glossary, "vector")
    term = make_term(
        glossary,
        category=make_category("research"),
        faq=[question("One?", "<p>1</p>"), question("Two?", "<p>2</p>")],
        related_terms=[token, vector],
        labels=["emb"],
        tags=["Data"],
    )
    url = f"{PAGES}{term.pk}/"
    before = client.get(url).json()
    first, second = before["faq"]
    link = before["related_terms"][1]
    changes = {
        "short_definition": "Another.",
        "faq": [second, {**first, "value": {"question": "One!", "answer": "1"}}],
        "related_terms": [{"id": link["id"], "related_term_id": vector.pk}],
    }
    after = editor.send("PATCH", url, changes)
    assert client.get(url).json() == before  # the change is a draft
    assert after["short_definition"] == "Another."
    assert [child["id"] for child in after["faq"]] == [second["id"], first["id"]]
    assert after["related_terms"] == [link]
    for name in ("title", "category", "tags", "labels"):
        assert after[name] == before[name]

    draft = editor.send("GET", f"{url}?version=draft")
    del draft["meta"], after["meta"]
    assert draft == after
    assert client.get(f"{url}?version=draft").json() == before
    editor.send("PATCH", url, {"meta": {"action": "publish"}, "heading": "New"})
    public = client.get(url).json()
    assert (public["short_definition"], public["heading"]) == ("Another.", "New")


def test_what_an_editor_reads_can_be_written_back(
    editor: TokenClient, client: Client, glossary: GlossaryPage
) -> None:
    draft = make_term(glossary, "draft", live=False)
    known = make_related_term(glossary, "draft")
    html = f'<p>A <a linktype="page" id="{draft.pk}">draft</a></p>'
    term = make_term(
        glossary,
        explanation=[section(html)],
        comparisons=[comparison("", html, known)],
        related_terms=[known],
    )
    url = f"{PAGES}{term.pk}/"
    for name in ("db_html", "db_markdown"):
        read = editor.send("GET", f"{url}?rich_text_format={name}")
        [section_read], [compared] = read["explanation"], read["comparisons"]
        body = {"format": name, "content": section_read["value"]["body"]}
        section_read["value"]["body"] = body
        compared["value"]["related_term"] = compared["value"]["related_term"]["id"]
        [link] = read["related_terms"]
        link_written = {"id": link["id"], "related_term_id": link["related_term"]["id"]}
        written = editor.send(
            "PATCH",
            url,
            {
                "explanation": [section_read],
                "comparisons": [compared],
                "related_terms": [link_written],
            },
        )
        text = written["explanation"][0]["value"]["body"]
        assert f'<a linktype="page" id="{draft.pk}">draft</a>' in text
        assert written["comparisons"][0]["value"]["related_term"]["id"] == known.pk
        assert written["related_terms"] == [link]
    glossary.introduction = html
    glossary.save()
    assert editor.send("GET", f"{PAGES}{glossary.pk}/")["introduction"] == html
    public = client.get(url).json()
    assert public["explanation"][0]["value"]["body"] == "<p>A draft</p>"
    assert public["related_terms"] == []
    [compared] = public["comparisons"]
    assert compared["value"] == {
        "related_term": None,
        "name": "",
        "comparison": "<p>A draft</p>",
    }


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (markdown("`x`"), "<code>x</code>"),
        (markdown("**x** *y*"), "<b>x</b> <i>y</i>"),
        (markdown("a<sup>2</sup> b<sub>3</sub>"), "a<sup>2</sup> b<sub>3</sub>"),
        (markdown("[x](https://x.example/)"), '<a href="https://x.example/">x</a>'),
        ("<p><s>x</s> <code>y</code></p>", "<s>x</s> <code>y</code>"),
    ],
)
def test_marks_survive_being_written(
    editor: TokenClient, glossary: GlossaryPage, text: Any, html: str
) -> None:
    faq = [block("question", question="Why?", answer=text)]
    answer = editor.send("POST", PAGES, term_data(glossary, faq=faq), status=201)
    assert "warnings" not in answer["meta"]
    assert html in answer["faq"][0]["value"]["answer"]


def test_blocks_survive_being_written(
    editor: TokenClient, client: Client, glossary: GlossaryPage
) -> None:
    text = "### Heading\n\n> A quote\n\n---\n\n1. one\n2. two\n\n"
    data = term_data(glossary, explanation=[block("section", body=markdown(text))])
    data["meta"]["action"] = "publish"
    answer = editor.send("POST", PAGES, data, status=201)
    assert "warnings" not in answer["meta"]
    url = f"{PAGES}{answer['id']}/?rich_text_format=markdown"
    body = client.get(url).json()["explanation"][0]["value"]["body"]
    assert body == text


def test_what_a_term_may_not_hold_is_taken_out_with_a_warning(
    editor: TokenClient, glossary: GlossaryPage
) -> None:
    answer = "<p>a<script>alert(1)</script> <u>b</u></p>"
    faq = [block("question", question="Why?", answer=answer)]
    created = editor.send("POST", PAGES, term_data(glossary, faq=faq), status=201)
    assert "<script" not in created["faq"][0]["value"]["answer"]
    removed = {warning["tag"] for warning in created["meta"]["warnings"]}
    assert {"script", "u"} <= removed


def test_seo_fields_are_written_if_the_base_page_has_them(
    editor: TokenClient, glossary: GlossaryPage
) -> None:
    seo = {"seo_title": "Embeddings", "search_description": "Lists of numbers."}
    meta = editor.send("POST", PAGES, term_data(glossary, **seo), status=201)["meta"]
    if hasattr(swapper.load_model("wagtailcore", "Page"), "seo_title"):
        assert {name: meta[name] for name in seo} == seo
    else:
        assert not set(seo) & set(meta)


@pytest.mark.parametrize(
    "fields",
    [
        {"short_definition": None},
        {"title": "x" * 256},
        {"slug": "not a slug"},
        {"explanation": {}},
        {"explanation": ["text"]},
        {"explanation": [block("section")]},
        {"explanation": [block("question", question="Why?", answer="x")]},
        {"explanation": [block("section", body=1)]},
        {"explanation": [block("section", body={"format": "pdf", "content": "x"})]},
        {"explanation": [block("section", body="x", kind="nope")]},
        {"explanation": [block("section", body="x", heading="x" * 256)]},
        {"comparisons": [block("comparison", comparison="x", related_term="x")]},
        {"comparisons": [block("comparison", comparison="x", related_term=0, name="")]},
        {"faq": [block("question", question="Why?")]},
        {"related_features": [block("feature", path=["x"])]},
        {"related_terms": [{}]},
        {"related_terms": [{"related_term_id": 0}]},
        {"related_terms": [{"related_term_id": "x"}]},
        {"labels": [{"text": "x", "kind": "nope"}]},
        {"labels": [{"text": "Embedding"}]},
        {"labels": [{"text": "x"}, {"text": "X"}]},
        {"category_id": 0},
        {"tags": "Data"},
        {"title": "\x00"},
    ],
    ids=lambda fields: json.dumps(fields)[:60],
)
def test_what_cannot_be_a_term_is_refused(
    editor: TokenClient, glossary: GlossaryPage, fields: dict[str, Any]
) -> None:
    data = term_data(glossary, **fields)
    data["meta"]["action"] = "publish"
    answer = editor.send("POST", PAGES, data, status=422)
    assert answer["errors"]
    assert not TermPage.objects.exists()


def test_links_are_checked_as_in_the_admin(
    editor: TokenClient, glossary: GlossaryPage
) -> None:
    token = make_related_term(glossary, "token")
    term = make_term(glossary, "token")
    url = f"{PAGES}{term.pk}/"
    link = {"related_term_id": token.pk}
    editor.send("PATCH", url, {"related_terms": [link]}, status=422)
    other = {"related_term_id": make_related_term(glossary).pk}
    editor.send("PATCH", url, {"related_terms": [other, other]}, status=422)
    assert len(editor.send("PATCH", url, {"related_terms": [other]})["related_terms"])


def test_a_token_gives_the_rights_of_its_user(
    client: Client, glossary: GlossaryPage
) -> None:
    user = get_user_model().objects.create_user("author", "a@example.com", "-")
    author = TokenClient(user)
    author.send("POST", PAGES, term_data(glossary), status=403)
    response = client.post(PAGES, term_data(glossary), content_type="application/json")
    assert response.status_code == 401

    group = Group.objects.create(name="Authors")
    user.groups.add(group)
    Page = swapper.load_model("wagtailcore", "Page")
    GroupPagePermission.objects.create(
        group=group,
        page=Page.objects.get(pk=glossary.pk),
        permission_type="add",
    )
    author = TokenClient(get_user_model().objects.get())
    pk = author.send("POST", PAGES, term_data(glossary), status=201)["id"]
    author.send("POST", f"{PAGES}{pk}/actions/publish/", status=403)


# Snippets: Wagtail gives them to the holders of tokens alone


def test_a_related_term_is_created_and_found(
    editor: TokenClient, client: Client, glossary: GlossaryPage
) -> None:
    url = f"{SNIPPETS}glossary.RelatedTerm/"
    data = {"glossary_id": glossary.pk, "name": "Token"}
    created = editor.send("POST", url, data, status=201)
    assert (created["slug"], created["locale"]) == ("token", "en")
    assert created["glossary"]["id"] == glossary.pk
    page = make_term(glossary, "token")
    assert RelatedTerm.objects.get().page == page
    for query in (f"slug=token&glossary={glossary.pk}", "search=token", "name=Token"):
        answer = editor.send("GET", f"{url}?{query}")
        assert [item["id"] for item in answer["items"]] == [created["id"]]
    editor.send("POST", url, data, status=422)
    editor.send("POST", url, {"name": "No glossary"}, status=422)
    changed = editor.send("PATCH", f"{url}{created['id']}/", {"name": "Tokens"})
    assert (changed["name"], changed["slug"]) == ("Tokens", "token")
    assert client.get(url).status_code == 401


def test_a_category_is_created_and_found(editor: TokenClient, client: Client) -> None:
    url = f"{SNIPPETS}glossary.Category/"
    data = {"name": "Language models", "description": "Of text."}
    created = editor.send("POST", url, data, status=201)
    assert created["slug"] == "language-models"
    assert created["locale"] == "en"
    answer = editor.send("GET", f"{url}?slug=language-models")
    assert answer["items"] == [created]
    editor.send("POST", url, data, status=422)
    editor.send("PATCH", f"{url}{created['id']}/", {"slug": "llm"})
    assert Category.objects.get().slug == "llm"
    assert client.get(url).status_code == 401
