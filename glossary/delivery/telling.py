"""Who is told of what the log has recorded: webhooks and caches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction

from .links import ApiLinks, api_address, api_links
from .purging import purge
from .scope import Scope
from .tags import tags_of_changes
from .versions import Recorded
from .webhooks.events import queue


def changes_were_recorded(
    sender: type, recorded: Sequence[Recorded], **kwargs: Any
) -> None:
    """A receiver for ``changes_recorded``: what is to be told is stored in the
    transaction of the changes; nothing is told before they are committed."""
    queue(recorded, links_for=_links_for, tags_of=_tags_of)
    changes = [item.change for item in recorded]
    transaction.on_commit(partial(purge, changes), robust=True)


def _links_for(scope: Scope) -> ApiLinks:
    return api_links(scope) or ApiLinks(api_address(scope, "/"))


def _tags_of(recorded: Sequence[Recorded]) -> list[str]:
    return sorted(tags_of_changes(item.change for item in recorded))
