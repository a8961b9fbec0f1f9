"""What other code can listen to."""

from __future__ import annotations

from django.dispatch import Signal


terms_imported = Signal()
"""Sent when a run has ended that wrote something, and its last transaction is over.

The sender is ``ImportRun``, the keyword argument ``run`` the run: its items tell what
was written. The pages were written in bulk, so Django's ``post_save`` was not sent for
them; Wagtail's ``page_published`` and ``page_unpublished`` were.
"""

terms_will_be_written = Signal()
"""Sent inside a transaction that is going to write terms, before any of their rows is
locked.

The sender is ``TermPage``. Who locks more than the terms does it here: in one order
everywhere, nobody waits for somebody who waits for them. What a term is added to, its
glossary, is locked before.
"""

terms_written = Signal()
"""Sent inside the transaction in which terms were written, when all of their rows are.

The sender is ``TermPage``, the keyword argument ``pks`` holds the ids of the pages.
"""

related_terms_written = Signal()
"""Sent inside the transaction in which related terms were written in bulk.

The sender is ``RelatedTerm``, the keyword argument ``pks`` holds their ids.
"""

changes_recorded = Signal()
"""Sent inside the transaction of a change to what anyone may read, once it is in the
log.

The sender is ``Change``, the keyword argument ``recorded`` a list of
``delivery.versions.Recorded``.
"""

term_previewed = Signal()
"""Asks how a draft of a term is shown in the admin.

The sender is the type of the term, the keyword arguments are ``page``, as the editor
has it, and ``request``. The first receiver that returns a response decides; without one
the term's own page is shown.
"""
