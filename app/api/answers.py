"""Answers that a revision decides: made once, kept with their compressed forms, and not sent to who has them."""

import zlib
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from typing import Annotated

import zstandard
from fastapi import Depends, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from app.api.dependencies import TreesDep
from app.api.entity_tags import etag_of, is_cached
from app.api.kept import KeptDep
from app.api.negotiation import coding
from app.storage.records import TreeRecord
from app.storage.trees import OpenTree, Trees
from app.trees.kept import Kept

JSON = "application/json"
NDJSON = "application/x-ndjson"
CHUNK_BYTES = 256 * 1024
MIN_COMPRESSED = 1_000
TRIES = 3

TreeId = Annotated[str, Path(description="Id of the tree.", examples=["t_ab2cd3ef4g"])]
Make = Callable[[OpenTree], bytes]
MakeChunk = Callable[[OpenTree, int], tuple[bytes, int | None]]
MakeLater = Callable[[], Awaitable[tuple[int, bytes]]]


class Answers:
    """Answers one request about one tree; its methods return a 200, or a 304 where the client has it already.

    A `key` names view and query: with tree and revision, all that decides the bytes.
    """

    def __init__(self, request: Request, trees: Trees, kept: Kept, record: TreeRecord) -> None:
        self.request = request
        self.trees = trees
        self.kept = kept
        self.record = record
        self.coding = coding(request.headers.get("accept-encoding"))

    async def json(self, key: Hashable, make: Make) -> Response:
        """Answer with the JSON that `make` makes of the tree as it is."""
        return await self.body(key, JSON, make)

    async def body(self, key: Hashable, media_type: str, make: Make, headers: dict[str, str] | None = None) -> Response:
        """Answer with the bytes that `make` makes of the tree as it is."""
        revision, coded = self.record.revision, self.coding
        body = self.kept.get((self.record.id, revision, key, coded))
        if body is None:
            revision, coded, body = await run_in_threadpool(self._made, key, make)
        if self._is_cached(revision):
            return Response(status_code=304, headers=_headers(revision, "identity"))
        return Response(body, headers={**_headers(revision, coded), **(headers or {})}, media_type=media_type)

    async def awaited(self, key: Hashable, make: MakeLater) -> Response:
        """Answer with JSON that takes its time: `make` gives it with its revision, and does not hold the tree."""
        revision, coded = self.record.revision, self.coding
        body = self.kept.get((self.record.id, revision, key, coded))
        if body is None:
            revision, plain = await self.plain(key, make)
            coded, body = await run_in_threadpool(self._coded, revision, key, plain)
        if self._is_cached(revision):
            return Response(status_code=304, headers=_headers(revision, "identity"))
        return Response(body, headers=_headers(revision, coded), media_type=JSON)

    async def plain(self, key: Hashable, make: MakeLater) -> tuple[int, bytes]:
        """Return what `awaited` answers with, and its revision."""
        revision = self.record.revision
        body = self.kept.get((self.record.id, revision, key, "identity"))
        if body is None:
            revision, body = await make()
            self.kept.put((self.record.id, revision, key, "identity"), body)
        return revision, body

    async def lines(self, key: Hashable, make_chunk: MakeChunk) -> Response:
        """Stream what `make_chunk(tree, start)` makes, from start to start until it says None, as NDJSON.

        All of it is of one revision, and is held compressed only: some ten bytes a row where the rows have two hundred.
        """
        revision, packed = await run_in_threadpool(self._packed, key, make_chunk)
        headers = _headers(revision, self.coding)
        if self._is_cached(revision):
            return Response(status_code=304, headers=_headers(revision, "identity"))
        if self.coding == "zstd":
            return Response(packed, headers=headers, media_type=NDJSON)
        lines = _unpacked(packed)
        return StreamingResponse(
            _gzipped(lines) if self.coding == "gzip" else lines, headers=headers, media_type=NDJSON
        )

    def made(self, revision: int, body: bytes) -> Response:
        """Answer with JSON that was made of a revision, which is not kept here."""
        headers = _headers(revision, "identity")
        if self._is_cached(revision):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=JSON)

    def _is_cached(self, revision: int) -> bool:
        return is_cached(self.request.headers.get("if-none-match"), etag_of(revision))

    def _made(self, key: Hashable, make: Make) -> tuple[int, str, bytes]:
        with self.trees.reading(self.record.id) as opened:
            revision = opened.record.revision
            plain_key = (self.record.id, revision, key, "identity")
            plain = self.kept.get(plain_key)
            if plain is None:
                plain = make(opened)
                self.kept.put(plain_key, plain)
        return revision, *self._coded(revision, key, plain)

    def _coded(self, revision: int, key: Hashable, plain: bytes) -> tuple[str, bytes]:
        if self.coding == "identity" or len(plain) < MIN_COMPRESSED:
            return "identity", plain
        body = _compressed(plain, self.coding)
        self.kept.put((self.record.id, revision, key, self.coding), body)
        return self.coding, body

    def _packed(self, key: Hashable, make_chunk: MakeChunk) -> tuple[int, bytes]:
        # The tree is held a chunk at a time, so that others get their turn; when it was changed meanwhile, again.
        for _ in range(TRIES):
            packed = self._try_pack(key, make_chunk)
            if packed is not None:
                return packed
        with self.trees.reading(self.record.id):
            packed = self._try_pack(key, make_chunk)
            assert packed is not None, "nobody else can change a tree that is being read"
            return packed

    def _try_pack(self, key: Hashable, make_chunk: MakeChunk) -> tuple[int, bytes] | None:
        revision = self.trees.get(self.record.id).revision
        packed_key = (self.record.id, revision, key, NDJSON)
        packed = self.kept.get(packed_key)
        if packed is not None:
            return revision, packed
        packer = zstandard.ZstdCompressor().compressobj()
        parts: list[bytes] = []
        start: int | None = 0
        while start is not None:
            with self.trees.reading(self.record.id) as opened:
                if opened.record.revision != revision:
                    return None
                chunk, start = make_chunk(opened, start)
            parts.append(packer.compress(chunk))
        packed = b"".join(parts) + packer.flush()
        self.kept.put(packed_key, packed)
        return revision, packed


async def _answers(request: Request, trees: TreesDep, kept: KeptDep, tree_id: TreeId) -> Answers:
    return Answers(request, trees, kept, await run_in_threadpool(trees.get, tree_id))


AnswersDep = Annotated[Answers, Depends(_answers)]


def _headers(revision: int, coded: str) -> dict[str, str]:
    headers = {"etag": etag_of(revision), "vary": "Accept, Accept-Encoding", "cache-control": "no-cache"}
    return headers if coded == "identity" else {**headers, "content-encoding": coded}


def _compressed(body: bytes, coded: str) -> bytes:
    if coded == "zstd":
        return zstandard.ZstdCompressor().compress(body)
    return b"".join(_gzipped([body]))


def _unpacked(packed: bytes) -> Iterator[bytes]:
    yield from zstandard.ZstdDecompressor().read_to_iter(packed, write_size=CHUNK_BYTES)


def _gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=6, wbits=31)
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()
