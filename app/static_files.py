"""Files for the browser: it asks for each again every time, and mostly hears that its copy is still good."""

import mimetypes
import os

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

# Not in every system's list of types.
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


class RevalidatedFiles(StaticFiles):
    """The files of a folder; an upgrade of the server takes effect with the next page."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response
