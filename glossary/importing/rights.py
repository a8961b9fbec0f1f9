"""What a run may do: as much as the user whom it runs for."""

from __future__ import annotations

from typing import Any

from ..models import GlossaryPage, TermPage


class Rights:
    """Those of a user in a glossary; the system, which is no user, has all."""

    def __init__(self, user: Any, glossary: GlossaryPage) -> None:
        self.user = user
        self._glossary = None if user is None else glossary.permissions_for_user(user)

    def may_add(self) -> bool:
        return self._glossary is None or self._glossary.can_add_subpage()

    def may_publish_new(self) -> bool:
        return self._glossary is None or self._glossary.can_publish_subpage()

    def may_edit(self, page: TermPage) -> bool:
        return self.user is None or page.permissions_for_user(self.user).can_edit()

    def may_publish(self, page: TermPage) -> bool:
        return self.user is None or page.permissions_for_user(self.user).can_publish()
