from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from .models import StoredRow


def stored_row(request: HttpRequest, slug: str) -> HttpResponse:
    """The least that Django can do about one row."""
    row = StoredRow.objects.get(pk=slug)
    return HttpResponse(row.body, content_type="application/json")


def worker(request: HttpRequest) -> HttpResponse:
    """The process that answers: ``load`` gives each the same number of connections."""
    return HttpResponse(headers={"Worker": str(os.getpid())})


Respond = Callable[[HttpRequest], HttpResponse]


def count_queries(get_response: Respond) -> Respond:
    def respond(request: HttpRequest) -> HttpResponse:
        statements: list[str] = []

        def note(execute: Any, sql: str, *rest: Any) -> Any:
            statements.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            response = get_response(request)
        response["Queries"] = str(len(statements))
        return response

    return respond
