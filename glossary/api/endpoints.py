"""What an endpoint is, and how Django Ninja gets to know it.

Ninja finds the endpoint of an address and describes it. Parameters are read here, so
that on every API that carries our router a bad one is answered alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature, getdoc
from typing import Annotated, Any, Final, Generic, TypeVar

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.decorators import decorate_view
from pydantic import WithJsonSchema

from ..delivery.scope import Scope, scope_for
from ..delivery.tags import tags_for
from ..delivery.versions import State, current
from .addresses import Addresses
from .delivering import Policy, deliver
from .describing import describe_body, describe_parameters
from .parameters import LARGEST_ID, Parameters, SiteParameters
from .problems import METHOD_NOT_ALLOWED, GlossaryProblem, Problem, invalid, not_found


TAG: Final = "Glossary"
SECURITY: Final[list[dict[str, list[str]]]] = [{}, {"BearerTokenAuth": []}]
METHODS: Final = ("POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "QUERY")

# The bounds are for readers: what is beyond them is not there, and no fault.
PathId = Annotated[
    int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LARGEST_ID})
]
PathSlug = Annotated[
    str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 255})
]

Read = TypeVar("Read", bound=Parameters)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Read]):
    """A request that has been understood: what it asks for, of which site, and what
    to call the documents that the answer refers to."""

    request: HttpRequest
    parameters: Read
    scope: Scope
    links: Addresses
    state: State
    """The version that the scope is of."""

    @property
    def list_tags(self) -> list[str]:
        """The cache tags of an answer that lists, counts or finds things."""
        return tags_for("list", [self.scope.site_id])

    def listed(self, items: Sequence[Any], total: int) -> dict[str, Any]:
        """A part of a list, with where its other parts are."""
        parameters: Any = self.parameters
        links = self.links.parts(
            limit=parameters.limit, offset=parameters.offset, total=total
        )
        return {"meta": {"total_count": total}, "items": items, "links": links}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of the router, and what it answers with.

    ``path`` is like ``terms/{int:term_id}/``. ``name`` is the end of its operation's
    id; with dashes it is the name of its URL.
    ``body`` is the type of what is posted. ``statuses`` are those of the problems and
    other answers that it has beside those that all have.
    """

    path: str
    name: str
    summary: str
    parameters: type[Parameters]
    answer: Any
    view: Callable[..., HttpResponse]
    policy: Policy
    statuses: Mapping[int, Any]
    body: type | None = None

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"

    def run(self, request: HttpRequest, prefix: str, **path: Any) -> HttpResponse:
        """Answer a request. ``prefix`` is where the router stands on its API."""
        try:
            parameters = self.parameters.read(request)
            state: State = getattr(request, "glossary_state", None) or current()
            scope = _scope(request, parameters, state)
            links = Addresses.of(request, scope, prefix)
            asked = Asked(request, parameters, scope, links, state)
            return self.view(asked, **_checked(path))
        except Problem as problem:
            return problem.response()


def _scope(request: HttpRequest, parameters: Parameters, state: State) -> Scope:
    try:
        scope = scope_for(request, state)
    except ValueError:
        raise invalid("site", "several sites have this name: add the port") from None
    if scope is None:
        if isinstance(parameters, SiteParameters) and parameters.site:
            raise invalid("site", "there is no such site")
        raise not_found("site")
    return scope


def _checked(path: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands in the path, unless no database could have it."""
    for value in path.values():
        if isinstance(value, int) and value > LARGEST_ID:
            raise not_found("thing")
        if isinstance(value, str) and ("\x00" in value or len(value) > 255):
            raise not_found("thing")
    return path


ENDPOINTS: list[Endpoint] = []
"""All there are, in the order in which they are described."""

# The answers that are no documents; a dictionary for each sort of endpoint.
PROBLEMS: Final[Mapping[int, Any]] = dict.fromkeys((401, 422), GlossaryProblem)
NOT_FOUND: Final[Mapping[int, Any]] = dict.fromkeys((401, 404, 422), GlossaryProblem)
THROTTLED: Final[Mapping[int, Any]] = dict.fromkeys((401, 422, 429), GlossaryProblem)

View = TypeVar("View", bound=Callable[..., HttpResponse])


def endpoint(
    path: str,
    answer: Any,
    parameters: type[Parameters],
    summary: str,
    *,
    statuses: Mapping[int, Any] = PROBLEMS,
    policy: Policy | None = None,
    body: type | None = None,
) -> Callable[[View], View]:
    """Adds an endpoint, named after its function."""

    def add(view: View) -> View:
        ENDPOINTS.append(
            Endpoint(
                path=path,
                name=view.__name__,
                summary=summary,
                parameters=parameters,
                answer=answer,
                view=view,
                policy=policy or Policy(),
                statuses=statuses,
                body=body,
            )
        )
        return view

    return add


def build_router(
    endpoints: list[Endpoint], *, prefix: str = "", name_prefix: str = ""
) -> Router:
    """A router with these endpoints. Each API needs one of its own.

    ``prefix`` is where it will stand on its API, such as ``glossary/``; ``name_prefix``
    comes before the names of its URLs.
    """
    router = Router(tags=[TAG])
    paths: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, []).append(endpoint)
    for path, here in paths.items():
        for endpoint in here:
            _add(router, endpoint, prefix, name_prefix)
        allowed = {"OPTIONS"}.union(*map(_methods, here))
        _add_others(router, path, sorted(allowed))
    # The rest of what is below, so that no other part of the site answers there.
    _add_nothing(router)
    return router


def _methods(endpoint: Endpoint) -> list[str]:
    return ["POST"] if endpoint.method == "POST" else ["GET", "HEAD"]


def _add(router: Router, endpoint: Endpoint, prefix: str, name_prefix: str) -> None:
    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        return endpoint.run(request, prefix, **path)

    _describe(view, endpoint.path, endpoint.name)
    decorate_view(deliver(endpoint.policy))(view)
    for method in _methods(endpoint):
        router.add_api_operation(
            f"/{endpoint.path}",
            [method],
            view,
            response={200: endpoint.answer, **endpoint.statuses},
            operation_id=f"glossary_{endpoint.name}",
            summary=endpoint.summary,
            description=getdoc(endpoint.view),
            url_name=name_prefix + endpoint.name.replace("_", "-"),
            # Ninja describes several methods as one operation, with one id.
            include_in_schema=method != "HEAD",
            openapi_extra=_extra(endpoint),
        )


def _extra(endpoint: Endpoint) -> dict[str, Any]:
    extra: dict[str, Any] = {
        "parameters": describe_parameters(endpoint.parameters),
        "security": SECURITY,
    }
    if endpoint.body is not None:
        extra["requestBody"] = describe_body(endpoint.body)
    return extra


def _add_others(router: Router, path: str, allowed: list[str]) -> None:
    allow = ", ".join(allowed)

    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            response = HttpResponse(status=204, headers={"Allow": allow})
            del response["Content-Type"]
            return response
        detail = f"{request.method} is not allowed here."
        return Problem(METHOD_NOT_ALLOWED, detail, headers={"Allow": allow}).response()

    _describe(view, path, "other_methods")
    router.add_api_operation(
        f"/{path}",
        ["OPTIONS", *(name for name in METHODS if name not in allowed)],
        view,
        include_in_schema=False,
    )


def _add_nothing(router: Router) -> None:
    def view(request: HttpRequest, **path: Any) -> HttpResponse:
        return not_found("endpoint").response()

    _describe(view, "{path:rest}/", "nothing")
    router.add_api_operation(
        "/{path:rest}/",
        ["GET", "HEAD", "OPTIONS", *METHODS],
        view,
        include_in_schema=False,
    )


def _describe(view: Any, path: str, name: str) -> None:
    """Give the view the name and the signature that Ninja asks it for."""
    parameters = [
        Parameter("request", Parameter.POSITIONAL_OR_KEYWORD, annotation=HttpRequest),
        *_path_parameters(path),
    ]
    view.__name__ = name
    view.__doc__ = None
    view.__signature__ = Signature(parameters)
    view.__annotations__ = {item.name: item.annotation for item in parameters}


def _path_parameters(path: str) -> Iterator[Parameter]:
    for part in path.split("{")[1:]:
        kind, _, name = part.partition("}")[0].rpartition(":")
        annotation = PathId if kind == "int" else PathSlug
        yield Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
