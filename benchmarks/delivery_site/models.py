from __future__ import annotations

from django.db import models


class StoredRow(models.Model):
    """What a view costs that has nothing to do but return a row: a term as JSON."""

    slug = models.CharField(max_length=255, primary_key=True)
    body = models.TextField()

    def __str__(self) -> str:
        return self.slug
