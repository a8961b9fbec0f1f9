"""What other code can listen to."""

from __future__ import annotations

from django.dispatch import Signal


terms_imported = Signal()
"""Sent when a run has ended that wrote something, and its last transaction is over.

The sender is ``ImportRun``, the keyword argument ``run`` the run: its items tell what
was written. The pages were written in bulk, so Django's ``post_save`` was not sent for
them; Wagtail's ``page_published`` and ``page_unpublished`` were.
"""
