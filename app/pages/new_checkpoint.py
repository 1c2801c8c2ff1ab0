"""New trees from checkpoints: a file under the server's roots, picked or named, or one that is uploaded."""

from dataclasses import dataclass
from typing import ClassVar

from starlette.datastructures import UploadFile

from app.api.cursors import cursor_of, numbers_of
from app.errors import Invalid, Misfit, ModuletreeError
from app.pages.forms import Field, Form, invalid
from app.pages.links import shell_word, with_query
from app.pages.new_desk import Asked, Desk, Sent, name_field, name_of
from app.pages.templating import Context
from app.storage.records import TreeRecord
from app.storage.uploads import SIBLING, SUFFIXES, Received
from app.translation import N_
from app.translation import gettext as _
from app.trees.sources.checkpoint.listing import FoundCheckpoint, list_checkpoints

PAGE = 50
KINDS = {"safetensors": "safetensors", "shards": N_("index and its shards"), "torch": "torch.save"}


@dataclass(frozen=True, slots=True)
class FilesView:
    """A page of the files under the roots that a search finds; `is_whole` unless there are more than were looked at."""

    q: str
    files: tuple[FoundCheckpoint, ...]
    total: int
    is_whole: bool
    roots: tuple[str, ...]
    kinds: dict[str, str]
    next_url: str


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The form that uploads, and the most bytes that it may send."""

    form: Form
    max_bytes: int


@dataclass(frozen=True, slots=True)
class CheckpointPage(Context):
    """The files under the roots, a field for a path, and the form that uploads."""

    template: ClassVar[str] = "new_checkpoint.html"

    kind: str
    files: FilesView
    form: Form
    upload: UploadForm
    curl: str


def blank(desk: Desk, asked: Asked) -> CheckpointPage:
    """Return the page with the files that are searched for."""
    return _page(desk, asked, _form(), upload_form(desk))


def open_tree(desk: Desk, sent: Sent) -> TreeRecord:
    """Return the tree of the file that was picked or named; raises what is wrong with it."""
    path = sent.typed.get("path", "").strip()
    if not path:
        raise invalid([("path", _("expected the path of a file, absolute or from a root on"))])
    try:
        return desk.trees.open({"kind": "checkpoint", "path": path}, name_of(sent.typed))
    except Invalid as error:
        raise _at_path(error) from error


def refused(desk: Desk, sent: Sent, error: ModuletreeError) -> CheckpointPage:
    """Return the page with the path as it was typed, and what is wrong with the file."""
    if not isinstance(error, Invalid):
        error = Invalid(error.detail, (Misfit(("path",), error.detail),))
    return _page(desk, Asked("checkpoint"), _form().refused(sent.typed, error), upload_form(desk))


def open_upload(desk: Desk, sent: Sent) -> TreeRecord:
    """Return the tree of the files that were sent; raises what is wrong with them."""
    files = [each for each in sent.form.getlist("file") if isinstance(each, UploadFile) and each.filename]
    if not files:
        raise invalid([("file", _("choose a checkpoint, or an index with all its shards"))])
    name = name_of(sent.typed)
    received = [Received(each.filename or "", each.file) for each in files]
    upload = desk.trees.uploads.receive(received, desk.settings.max_upload)
    return desk.trees.open_upload(upload, name)


def upload_refused(desk: Desk, sent: Sent, error: ModuletreeError) -> CheckpointPage:
    """Return the page with what is wrong with the files; a browser lets nobody fill in which they were."""
    if not isinstance(error, Invalid) or not error.errors:
        error = Invalid(error.detail, (Misfit(("file",), error.detail),))
    return _page(desk, Asked("checkpoint"), _form(), upload_form(desk, sent, error))


def upload_form(desk: Desk, sent: Sent | None = None, error: ModuletreeError | None = None) -> UploadForm:
    """Return the form that uploads, as it was filled in where it was refused."""
    most = desk.settings.max_upload
    file = Field(
        "file",
        _("files"),
        kind="files",
        placeholder=",".join((*SUFFIXES[1:], ".json")),
        hint=_(
            "%(suffixes)s, or an index.json with all its shards; a %(sibling)s with it tells the classes",
            suffixes=", ".join(SUFFIXES[1:]),
            sibling=SIBLING,
        ),
    )
    form = Form("upload", "upload", "/trees/upload", _("Upload and open"), (file, name_field(_("as the file"))))
    if sent is not None and error is not None:
        form = form.refused(sent.typed, error)
    return UploadForm(form, most)


def files_view(desk: Desk, asked: Asked, path: str) -> FilesView:
    """Return the page of the files that is asked for; `path` is where the next one is."""
    found = list_checkpoints(desk.settings.root, asked.q)
    start = 0 if asked.cursor is None else numbers_of(asked.cursor, 1)[0]
    following = cursor_of(start + PAGE) if start + PAGE < len(found.files) else ""
    kind = "checkpoint" if path.endswith("/new") else ""
    return FilesView(
        q=asked.q,
        files=tuple(found.files[start : start + PAGE]),
        total=len(found.files),
        is_whole=found.is_whole,
        roots=tuple(map(str, desk.settings.root)),
        kinds=KINDS,
        next_url=with_query(path, kind=kind, q=asked.q, cursor=following) if following else "",
    )


def _page(desk: Desk, asked: Asked, form: Form, upload: UploadForm) -> CheckpointPage:
    curl = f"curl -s {desk.origin}/api/trees/upload -F {shell_word('file=@model.safetensors')}"
    return CheckpointPage("checkpoint", files_view(desk, asked, "/trees/new"), form, upload, curl)


def _form() -> Form:
    path = Field("path", _("path"), placeholder="gpt2/model.safetensors", hint=_("absolute, or from a root on"))
    return Form("checkpoint", "checkpoint", "/trees", _("Open it"), (path, name_field(_("as the file"))))


def _at_path(error: Invalid) -> Invalid:
    # A file that breaks its format's rules is told of in one sentence, with no place in the source.
    misfits = error.errors or (Misfit((), error.detail),)
    return Invalid(
        error.detail,
        tuple(Misfit(misfit.loc if misfit.loc == ("name",) else ("path",), misfit.msg) for misfit in misfits),
    )
