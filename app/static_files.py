"""Files for the browser: it asks for each again every time, and mostly hears that its copy is still good.

A page asks for more than a hundred: each is read and compressed once, and answered without another thread.
"""

import mimetypes
import os
from dataclasses import dataclass
from pathlib import Path

from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse
from starlette.types import Scope

from app.api.negotiation import coding
from app.compression import compressed

# Not in every system's list of types.
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file as it is sent, good for as long as its stamp is that of the file."""

    path: Path
    stamp: tuple[int, int]
    content: bytes
    headers: dict[str, str]


class RevalidatedFiles(StaticFiles):
    """The files of a folder; an upgrade of the server takes effect with the next page."""

    def __init__(self, *, directory: str | os.PathLike[str]) -> None:
        super().__init__(directory=directory)
        # By path and content coding; there are no more than there are files.
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        kept = self._kept.get((path, _coding(scope)))
        if kept is not None and scope["method"] in {"GET", "HEAD"} and _is_whole(scope) and _is_fresh(kept):
            return self._answer(kept, scope)
        return await super().get_response(path, scope)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = FileResponse(full_path, status_code, {"Cache-Control": "no-cache"}, stat_result=stat_result)
        if not _is_whole(scope):
            return response
        content = Path(full_path).read_bytes()
        headers = dict(response.headers)
        # The length is counted anew, of what is sent.
        del headers["content-length"]
        packed = compressed(content, headers["content-type"], _coding(scope))
        if packed is not None:
            content = packed
            headers |= {"content-encoding": _coding(scope), "vary": "Accept-Encoding"}
        kept = _Kept(Path(full_path), _stamp(stat_result), content, headers)
        self._kept[self.get_path(scope), _coding(scope)] = kept
        return self._answer(kept, scope)

    def _answer(self, kept: _Kept, scope: Scope) -> Response:
        if self.is_not_modified(Headers(kept.headers), Headers(scope=scope)):
            return NotModifiedResponse(Headers(kept.headers))
        return Response(kept.content, headers=kept.headers)


def _coding(scope: Scope) -> str:
    return coding(Headers(scope=scope).get("accept-encoding"))


def _is_whole(scope: Scope) -> bool:
    return "range" not in Headers(scope=scope)


def _is_fresh(kept: _Kept) -> bool:
    try:
        return _stamp(kept.path.stat()) == kept.stamp
    except OSError:
        return False


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_size
