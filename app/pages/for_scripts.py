"""What the scripts of pages ask for while somebody types and presses: the API's answers, refused as pages refuse.

A refusal here is in the reader's language, and for who asks as `app.in_page` says it is none to the browser's console.
"""

from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts

from app.api import changes, module_stats, origin, run_pictures, runs, search, trace, trees

PREFIX = "/for-scripts"
OFFERED = {
    ("GET", "/trees/{tree_id}"),
    ("GET", "/trees/{tree_id}/search"),
    ("GET", "/trees/{tree_id}/trace"),
    ("GET", "/runs/compare"),
    ("GET", "/runs/{run_id}"),
    ("GET", "/runs/{run_id}/modules"),
    ("GET", "/runs/{run_id}/picture"),
    ("POST", "/trees/upload"),
    ("POST", "/trees/{tree_id}/forward"),
    ("POST", "/trees/{tree_id}/undo"),
    ("POST", "/trees/{tree_id}/redo"),
    ("POST", "/runs/{run_id}/pause"),
    ("POST", "/runs/{run_id}/resume"),
    ("POST", "/runs/{run_id}/cancel"),
    ("POST", "/runs/{run_id}/apply"),
}

router = APIRouter()


def _offer(source: APIRouter) -> None:
    for context in iter_route_contexts(source.routes):
        route = context.original_route
        if not isinstance(route, APIRoute):
            continue
        path = route.path.removeprefix("/api")
        if any((method, path) in OFFERED for method in route.methods or ()):
            router.routes.append(
                type(route)(
                    PREFIX + path,
                    route.endpoint,
                    methods=route.methods,
                    status_code=route.status_code,
                    response_model=route.response_model,
                    response_class=route.response_class,
                    include_in_schema=False,
                )
            )


for part in (changes, module_stats, origin, run_pictures, runs, search, trace, trees):
    _offer(part.router)
