from .catalogue import (
    CategoryCount,
    LetterCount,
    Mention,
    NameVariant,
    PublicName,
    PublicTag,
    PublicTerm,
    TagCount,
)
from .changes import Change, Version
from .imports import (
    ImportItem,
    ImportPayload,
    ImportRecord,
    ImportRun,
    ImportSource,
    ImportUpload,
)
from .pages import GlossaryPage, TermPage
from .relations import TermLabel, TermLink, TermTag
from .snippets import Category, RelatedTerm
from .webhooks import WebhookDelivery, WebhookEndpoint


__all__ = [
    "Category",
    "CategoryCount",
    "Change",
    "GlossaryPage",
    "ImportItem",
    "ImportPayload",
    "ImportRecord",
    "ImportRun",
    "ImportSource",
    "ImportUpload",
    "LetterCount",
    "Mention",
    "NameVariant",
    "PublicName",
    "PublicTag",
    "PublicTerm",
    "RelatedTerm",
    "TagCount",
    "TermLabel",
    "TermLink",
    "TermPage",
    "TermTag",
    "Version",
    "WebhookDelivery",
    "WebhookEndpoint",
]
