from .catalogue import LetterCount, Mention, NameVariant, PublicName, PublicTerm
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
    "PublicTerm",
    "RelatedTerm",
    "TermLabel",
    "TermLink",
    "TermPage",
    "TermTag",
    "Version",
    "WebhookDelivery",
    "WebhookEndpoint",
]
