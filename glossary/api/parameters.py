"""What can be asked for in the query of a request, and how it is read.

Every parameter is bounded, an unknown one is refused, and so is a text that a database
could not take. A parameter that holds several values is repeated; ids, slugs, languages
and names of parts may also stand in one, with commas between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, get_args

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from ..delivery.documents import RichTextFormat
from .problems import (
    INVALID_BODY,
    INVALID_PARAMETER,
    MOST_FAULTS,
    UNKNOWN_PARAMETER,
    GlossaryFault,
    Problem,
    fault,
)


LARGEST_ID: Final = 2**31 - 1
MOST_OFFSET: Final = 100_000
MOST_LISTED: Final = 100
MOST_POSTED: Final = 1000
MOST_VALUES: Final = 20
MOST_WORDS: Final = 20

Order: TypeAlias = Literal[
    "title",
    "-title",
    "first_published_at",
    "-first_published_at",
    "last_published_at",
    "-last_published_at",
    "id",
    "-id",
]
Included: TypeAlias = Literal["backlinks", "structured_data"]
Facet: TypeAlias = Literal["category", "letter", "tag"]


def _storable(text: str) -> str:
    if not text.isprintable() and any(
        char < " " or "\ud800" <= char <= "\udfff" for char in text
    ):
        raise PydanticCustomError("text", "must be text without control characters")
    return text


def _decimal(value: Any) -> Any:
    """Digits alone: Python's own reading takes underscores, spaces and all scripts."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise PydanticCustomError("number", "must be a whole number")
    return value


def _moment(value: Any) -> datetime:
    """A moment in UTC; a date stands for its beginning."""
    # A plus sign that was not encoded comes as a space.
    text = re.sub(r"(?<=\d) (?=\d\d:?\d\d$)", "+", value) if "T" in value else value
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)):
            moment = datetime.combine(day, time.min)
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(
                UTC
            )
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError(
        "moment", "must be a time such as 2026-11-20T10:00:00Z, or a date"
    )


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 7.0 is 7."""
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def _single_spaces(value: Any) -> Any:
    # Those of ASCII alone, which every reader of the pattern below takes alike.
    if isinstance(value, str):
        return re.sub(r"[\t-\r ]+", " ", value).strip(" ")
    return value


def _few_words(text: str) -> str:
    if len(text.split()) > MOST_WORDS:
        raise PydanticCustomError("words", f"must have at most {MOST_WORDS} words")
    return text


def _described(pattern: str) -> Any:
    """Tell clients what the validators ask for, in an expression of JavaScript."""
    return Field(json_schema_extra={"pattern": pattern})


_WORD: Final = r"[^\x00-\x20]+"
_SPACE: Final = r"[\t-\r ]"

Text = Annotated[str, AfterValidator(_storable), _described(r"^[^\x00-\x1f]*$")]
Slug = Annotated[Text, Field(min_length=1, max_length=255)]
ListedSlug = Annotated[Slug, _described(r"^[^\x00-\x1f,]*$")]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
Letter = Annotated[Text, Field(min_length=1, max_length=8)]
Language = Annotated[
    str, Field(min_length=2, max_length=20, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_decimal)]
PostedId = Annotated[
    int, Field(strict=True, ge=1, le=LARGEST_ID), BeforeValidator(_whole)
]
Number = Annotated[int, BeforeValidator(_decimal)]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Words = Annotated[
    str,
    Field(max_length=200),
    BeforeValidator(_single_spaces),
    AfterValidator(_storable),
    AfterValidator(_few_words),
    _described(
        rf"^{_SPACE}*({_WORD}{_SPACE}+){{0,{MOST_WORDS - 1}}}({_WORD}{_SPACE}*)?$"
    ),
]
SomeWords = Annotated[
    Words,
    Field(min_length=1),
    _described(rf"^{_SPACE}*{_WORD}({_SPACE}+{_WORD}){{0,{MOST_WORDS - 1}}}{_SPACE}*$"),
]


class _Commas:
    """Marks a parameter whose values may stand in one, with commas between them."""


COMMAS: Final = _Commas()


class Parameters(BaseModel):
    """The parameters of an endpoint, each with its bounds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """The parameters of a request.

        Raises a Problem that names each parameter that is unknown or has a bad value,
        and suggests what may have been meant.
        """
        try:
            query = request.GET
        except TooManyFieldsSent:
            raise Problem(INVALID_PARAMETER, "There are too many parameters.") from None
        values, faults = cls._collect(query)
        try:
            parameters = cls.model_validate(values)
        except ValidationError as error:
            faults.extend(cls._faults(error))
        if not faults:
            return parameters
        unknown = [item for item in faults if item["loc"][-1] not in cls.names()]
        raise Problem(
            UNKNOWN_PARAMETER if unknown else INVALID_PARAMETER,
            "; ".join(f"{item['loc'][1]}: {item['msg']}" for item in faults[:3]),
            faults=faults,
        )

    @classmethod
    def names(cls) -> dict[str, FieldInfo]:
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    @classmethod
    def _collect(cls, query: QueryDict) -> tuple[dict[str, Any], list[GlossaryFault]]:
        names = cls.names()
        values: dict[str, Any] = {}
        faults = []
        for name, given in query.lists():
            field = names.get(name)
            if field is None and cls.model_config["extra"] == "ignore":
                continue
            if field is None:
                faults.append(
                    fault(("query", name), "there is no such parameter", name, names)
                )
            elif _takes_several(field):
                values[name] = [
                    part for value in given for part in _parts(value, field)
                ]
            else:
                values[name] = given[0]
                if len(given) > 1:
                    faults.append(fault(("query", name), "can be given only once"))
        return values, faults

    @classmethod
    def _faults(cls, error: ValidationError) -> Iterator[GlossaryFault]:
        names = cls.names()
        for found in error.errors(include_url=False, include_context=False):
            name = str(found["loc"][0])
            choices = _choices(names[name].annotation) if name in names else ()
            yield fault(("query", name), _plain(found), found["input"], choices)


def _parts(value: str, field: FieldInfo) -> list[str]:
    return value.split(",") if COMMAS in field.metadata else [value]


def _takes_several(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) is tuple


def _choices(annotation: Any) -> tuple[str, ...]:
    """The values that a Literal allows, wherever it stands in the annotation."""
    if getattr(annotation, "__origin__", None) is Literal:
        return get_args(annotation)
    return tuple(choice for part in get_args(annotation) for choice in _choices(part))


_PLAIN: Final = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "too_long": "has too many values",
    "string_pattern_mismatch": "is not written as it has to be",
}


def _plain(found: Mapping[str, Any]) -> str:
    """What pydantic found, in our words."""
    msg = found["msg"].replace("Input should", "must").replace("String should", "must")
    return _PLAIN.get(found["type"], msg)


# What many endpoints take


class SiteParameters(Parameters):
    site: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?$",
        description="The host name of a site, if it is not that of the request; with "
        "a port where several sites have the name.",
        examples=["www.example.com"],
    )


class GlossaryParameters(SiteParameters):
    locale: Annotated[tuple[Language, ...], COMMAS] = Field(
        (),
        max_length=MOST_VALUES,
        description="Languages. Without it, lists have the site's own.",
        examples=[["en"]],
    )
    glossary: tuple[Slug, ...] = Field(
        (),
        max_length=MOST_VALUES,
        description="Ids or slugs of glossaries.",
        examples=[["glossary"]],
    )


class FormatParameters(SiteParameters):
    rich_text: RichTextFormat = Field(
        "html", description="The format of rich text.", examples=["markdown"]
    )


class DocumentParameters(FormatParameters):
    include: Annotated[tuple[Included, ...], COMMAS] = Field(
        (),
        max_length=MOST_VALUES,
        description="What to add to each term.",
        examples=[["backlinks"]],
    )


class FallbackParameters(GlossaryParameters):
    fallback: Annotated[tuple[Language, ...], COMMAS] = Field(
        (),
        max_length=MOST_VALUES,
        description="Languages, in order, for what is not there in those of locale.",
        examples=[["en"]],
    )


class PageParameters(SiteParameters):
    limit: Number = Field(
        20, ge=1, le=MOST_LISTED, description="The most items to give."
    )
    offset: Number = Field(
        0, ge=0, le=MOST_OFFSET, description="How many items to leave out."
    )


class FilterParameters(GlossaryParameters):
    category: tuple[Slug, ...] = Field(
        (),
        max_length=MOST_VALUES,
        description="Slugs of categories. Of several one has to fit, as everywhere.",
    )
    tag: tuple[Name, ...] = Field(
        (), max_length=MOST_VALUES, description="Names of tags."
    )
    letter: tuple[Letter, ...] = Field(
        (),
        max_length=MOST_VALUES,
        description="Letters as the endpoint of letters has them.",
        examples=[["A"]],
    )
    ids: Annotated[tuple[Id, ...], COMMAS] = Field((), max_length=MOST_LISTED)
    slugs: Annotated[tuple[ListedSlug, ...], COMMAS] = Field((), max_length=MOST_LISTED)
    updated_after: Moment | None = Field(
        None,
        description="A time or a date: terms that were published after it.",
        examples=["2026-11-20T10:00:00Z"],
    )


class PreviewParameters(Parameters):
    preview: Text | None = Field(
        None,
        min_length=1,
        max_length=2000,
        description="The token of a preview: its draft is answered.",
    )


# The endpoints


class TermParameters(DocumentParameters, PreviewParameters):
    pass


class TermByNameParameters(DocumentParameters, FallbackParameters, PreviewParameters):
    pass


class TermByPathParameters(DocumentParameters, PreviewParameters):
    path: Text = Field(
        min_length=1,
        max_length=2000,
        description="The path of the term's page.",
        examples=["/glossary/embedding/"],
    )


class TermListParameters(
    DocumentParameters, FilterParameters, FallbackParameters, PageParameters
):
    fields: str | None = Field(
        None,
        max_length=2000,
        description="Which fields to give: `faq` beside the usual ones, `-tags` not, "
        "`*` all, `_,title` that alone, `faq(value(question))` a part of one.",
        examples=["*,-explanation"],
    )
    order: Order = Field("title", description="What to sort by; with - backwards.")
    cursor: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        pattern=r"^[A-Za-z0-9_=.~-]*$",
        description="Where to go on: from the links of an answer. Not with offset.",
    )


class TermBulkParameters(DocumentParameters, FallbackParameters):
    ids: Annotated[tuple[Id, ...], COMMAS] = Field((), max_length=MOST_LISTED)
    slugs: Annotated[tuple[ListedSlug, ...], COMMAS] = Field(
        (), max_length=MOST_LISTED, examples=[["embedding", "token"]]
    )


class TermBulkPostParameters(DocumentParameters, FallbackParameters):
    pass


class TermBacklinksParameters(PageParameters):
    pass


class TermAutocompleteParameters(GlossaryParameters):
    q: Words = Field(
        description="The beginning of a name; at most 20 words.", examples=["embed"]
    )
    category: tuple[Slug, ...] = Field((), max_length=MOST_VALUES)
    limit: Number = Field(10, ge=1, le=20)


class TermSearchParameters(FilterParameters, PageParameters):
    q: SomeWords = Field(description="At most 20 words.", examples=["vector space"])
    facets: Annotated[tuple[Facet, ...], COMMAS] = Field(
        (),
        max_length=MOST_VALUES,
        description="What to count the terms by.",
        examples=[["category", "letter"]],
    )


class GlossaryListParameters(GlossaryParameters, FormatParameters):
    pass


class CategoryListParameters(GlossaryParameters):
    pass


class LetterListParameters(GlossaryParameters):
    pass


class RelatedTermListParameters(GlossaryParameters, PageParameters):
    wanted: bool | None = Field(
        None, description="True: those without a page. False: those with one."
    )
    q: Words = Field("", description="The beginning of a name.")


class GraphParameters(GlossaryParameters):
    category: Slug | None = Field(None, description="The slug of a category.")
    around: Slug | None = Field(
        None, description="The slug of a term: what is near it.", examples=["embedding"]
    )
    depth: Number = Field(
        1, ge=1, le=3, description="How far from that term, in links."
    )
    limit: Number = Field(500, ge=1, le=2000)


class ChangeListParameters(FormatParameters):
    after_change_number: Number = Field(
        0,
        alias="afterChangeNumber",
        ge=0,
        le=2**63 - 1,
        description="What comes after this change. 0 begins at the beginning.",
    )
    limit: Number = Field(100, ge=1, le=500)


class PayloadParameters(GlossaryParameters):
    pass


class NuxtPayloadParameters(PayloadParameters):
    """Nuxt adds the number of its build, by different names."""

    model_config = ConfigDict(extra="ignore")


# The body


class TermBulkBody(BaseModel):
    """The terms that are asked for, by their slugs, ids or both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slugs: tuple[Slug, ...] = Field((), max_length=MOST_POSTED)
    ids: tuple[PostedId, ...] = Field((), max_length=MOST_POSTED)

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Raises a Problem."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            names = list(cls.model_fields)
            found_faults = error.errors(include_url=False, include_context=False)
            faults = [
                fault(
                    ("body", *found["loc"]),
                    _plain(found),
                    found["loc"][-1] if found["type"] == "extra_forbidden" else None,
                    names,
                )
                for found in found_faults[:MOST_FAULTS]
            ]
            raise Problem(
                INVALID_BODY, "The body is not what is expected.", faults=faults
            ) from None
