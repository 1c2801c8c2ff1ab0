"""The database: made, migrated, refused, written by one, read by many."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.errors import CannotStore, ModuletreeError
from app.storage import database as database_module
from app.storage.database import CannotOpen, Database
from app.storage.records import now
from app.storage.tables import metadata, revisions, trees


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "moduletree.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database.open(url_of(path))
    yield database
    database.close()


def add_tree(connection: Connection, tree_id: str) -> None:
    connection.execute(
        insert(trees).values(id=tree_id, name="x", source="{}", revision=1, created_at=now(), updated_at=now())
    )


def count(database: Database) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(trees)) or 0


def test_the_migrations_make_the_tables_as_they_are_declared(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_that_was_closed_opens_again_with_what_is_in_it(path: Path) -> None:
    for expected in range(3):
        database = Database.open(url_of(path))
        assert count(database) == expected
        with database.write() as connection:
            add_tree(connection, str(expected))
        database.close()


def test_a_closed_database_is_one_file(path: Path, database: Database) -> None:
    with database.write() as connection:
        add_tree(connection, "a")
    count(database)
    database.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_folders_on_the_way_are_made_and_odd_paths_are_paths(tmp_path: Path) -> None:
    path = tmp_path / "sp ace" / "100%" / "모듈#?" / "moduletree.db"
    database = Database.open(url_of(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23"))
    database.check()
    database.close()


def refusal(url: str) -> str:
    with pytest.raises(CannotOpen) as refused:
        Database.open(url)
    assert isinstance(refused.value, ModuletreeError)
    assert "\n" not in refused.value.detail
    return refused.value.detail


def test_a_database_of_a_newer_version_is_refused_in_a_line(path: Path) -> None:
    Database.open(url_of(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    assert "is of a newer version of Moduletree" in refusal(url_of(path))
    assert str(path) in refusal(url_of(path))
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("This is no database, and it is longer than the header of one would be." * 10)
    before = path.read_bytes()
    assert refusal(url_of(path)) == f"The database {path} cannot be opened: file is not a database."
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE trees (leaves INTEGER)")
    connection.close()
    assert "table trees already exists" in refusal(url_of(path))


def test_a_database_that_is_locked_is_refused_after_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database.open(url_of(path)).close()
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 20)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert "database is locked" in refusal(url_of(path))
    finally:
        other.close()


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "x.db", tmp_path / "folder"):
        assert refusal(url_of(path)).startswith(f"The database {path} cannot be opened: ")


@pytest.mark.parametrize(
    "url", ["", "x", "postgresql://localhost/x", "sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql+x://", "://"]
)
def test_what_is_no_sqlite_file_is_refused(url: str) -> None:
    assert "sqlite:///" in refusal(url)


def test_a_block_that_raises_writes_nothing(database: Database) -> None:
    def write() -> None:
        with database.write() as connection:
            add_tree(connection, "a")
            raise KeyError("a")

    with pytest.raises(KeyError):
        write()
    assert count(database) == 0


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"), database.read() as connection:
        add_tree(connection, "a")


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(
            insert(revisions).values(
                tree="missing", revision=1, note="", structure=b"", tensors="", facts="", created_at=now()
            )
        )


def test_readers_neither_wait_for_a_writer_nor_see_half_of_what_it_writes(database: Database) -> None:
    with database.write() as connection:
        add_tree(connection, "a")
        assert count(database) == 0
        add_tree(connection, "b")
        assert count(database) == 0
    assert count(database) == 2


def test_what_a_reader_sees_is_of_one_moment(database: Database) -> None:
    with database.read() as reader:
        assert reader.scalar(select(func.count()).select_from(trees)) == 0
        with database.write() as connection:
            add_tree(connection, "a")
        assert reader.scalar(select(func.count()).select_from(trees)) == 0
    assert count(database) == 1


def test_writers_take_turns(database: Database) -> None:
    start = threading.Barrier(8)

    def add_many(writer: int) -> None:
        start.wait()
        for number in range(20):
            with database.write() as connection:
                seen = connection.scalar(select(func.count()).select_from(trees))
                add_tree(connection, f"{writer}.{number}")
                assert connection.scalar(select(func.count()).select_from(trees)) == (seen or 0) + 1

    threads = [threading.Thread(target=add_many, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 160


def test_the_log_is_write_ahead_and_on_the_disk_unless_that_may_wait(database: Database) -> None:
    for is_synced in (True, False, True):
        with database.write(is_synced=is_synced) as connection:
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(text("PRAGMA synchronous")) == (2 if is_synced else 1)


def test_a_disk_that_is_full_is_told_and_leaves_what_was_there(database: Database) -> None:
    with database.write() as connection:
        add_tree(connection, "a")
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    def fill() -> None:
        with database.write() as connection:
            for number in range(1000):
                add_tree(connection, str(number))

    with pytest.raises(CannotStore, match="database or disk is full"):
        fill()
    assert count(database) == 1


def test_check_answers_while_the_database_does(database: Database) -> None:
    database.check()
    with database.write() as connection:
        connection.execute(text("ALTER TABLE trees RENAME TO gone"))
    with pytest.raises(OperationalError, match="no such table"):
        database.check()
