"""`moduletree train` and `moduletree runs`, as a person runs them."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from typer.testing import CliRunner, Result

from app.cli import cli
from app.client import Client, Unreachable
from app.commands.trees import found_tree
from app.terminal.named import Named
from tests.client.scripted import free_port
from tests.commands import moduletree
from tests.forked import Forked
from tests.live import ROOT, LiveServer

LINEAR = '{"kind": "linear", "root": {}, "seed": 0}'
RUN_ID = re.compile(r"r_[a-z2-7]{10}")
LONG = "10000000"


def run(*arguments: str, server: str = "") -> Result:
    """What a command does in this process; `server` is what the environment says of it."""
    environment = {name: None for name in os.environ if name.startswith("MODULETREE_")} | {"MODULETREE_SERVER": server}
    return CliRunner().invoke(cli, arguments, env=environment)


def at(server: LiveServer, *arguments: str) -> Result:
    """What a command does that is told of the server by the environment."""
    return run(*arguments, server=server.url)


def tree_of(server: LiveServer, name: str) -> str:
    """The id of a new tree of that name."""
    tree = server.client.post("/api/trees", json={"name": name, "source": json.loads(LINEAR)}).raise_for_status()
    return str(tree.json()["id"])


def refused(done: Result, code: int = 2) -> str:
    """The one line of a command that did nothing."""
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("moduletree: ")


def test_a_tree_is_trained_by_its_name_with_every_hyperparameter_that_is_named(server: LiveServer) -> None:
    tree = tree_of(server, "a tree to train")
    done = at(server, "train", "a tree to train", "--epochs", "40", "--lr", "0.005", "--optimizer-arg", "momentum=0.5")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert re.fullmatch(rf"r_\w+  #1 of a tree to train \({tree}\)", lines[0])
    assert lines[1] == "running"
    assert any(line.startswith("epoch 40/40  loss ") for line in lines)
    assert any(re.fullmatch(r"succeeded  40 of 40 epochs in \S+ s", line) for line in lines)
    assert "its parameters are revision 2 of the tree" in lines
    (run,) = server.client.get("/api/runs", params={"tree": tree}).json()["items"]
    assert (run["config"]["lr"], run["config"]["optimizer_args"]) == (0.005, {"momentum": 0.5})


def test_events_come_as_lines_of_json(server: LiveServer) -> None:
    done = at(server, "train", tree_of(server, "told in json"), "--epochs", "2", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["id"] for event in events] == list(range(1, 7))
    assert [event["event"] for event in events] == ["status", "status", "epoch", "epoch", "status", "end"]
    assert (events[-1]["data"]["status"], done.exit_code) == ("succeeded", 0)


def test_columns_of_a_file_are_learned_and_the_file_is_not_left_behind(server: LiveServer, tmp_path: Path) -> None:
    before = server.client.get("/api/data").json()["total"]
    file = tmp_path / "points.csv"
    file.write_text("hours,grade\n" + "".join(f"{hours},{3 * hours - 1}\n" for hours in range(5)))
    tree = tree_of(server, "grades")
    assert "--data x" in refused(at(server, "train", tree, "--csv", str(file), "--x", "hour", "--y", "grade"))
    done = at(
        server, "train", tree, "--csv", str(file), "--x", "hours", "--y", "grade", "--epochs", "900", "--lr", "0.05"
    )
    assert done.exit_code == 0, done.output
    line = re.search(r"^y = (\S+) x - (\S+)$", done.stdout, re.MULTILINE)
    assert line is not None
    assert list(map(float, line.groups())) == pytest.approx([3, 1], abs=0.01)
    assert server.client.get("/api/data").json()["total"] == before


def test_a_run_is_left_to_the_server_then_shown_steered_and_forgotten(server: LiveServer) -> None:
    tree_of(server, "left alone")
    run = at(server, "train", "left alone", "--epochs", LONG, "--detach").stdout.strip()
    assert RUN_ID.fullmatch(run)
    assert at(server, "runs", run, "--pause").stdout.startswith(f"{run} is ")
    listed = at(server, "runs", "--tree", "left alone", "--limit", "1").stdout.splitlines()
    assert listed[1].startswith(f"{run}  left alone #1  ")
    assert at(server, "runs", run, "--cancel").exit_code == 0
    followed = at(server, "runs", run, "--follow")
    assert followed.exit_code == 130
    assert "cancelled  " in followed.stdout
    document: Any = json.loads(at(server, "runs", "--status", "cancelled", "--tree", "left alone", "--json").stdout)
    assert document["id"] == run
    shown = at(server, "runs", run).stdout
    assert shown.startswith(f"{run}  #1 of left alone (t_")
    assert "epoch 0" in shown
    assert at(server, "runs", run, "--delete").stdout == f"{run} is gone\n"
    assert "There is no run" in refused(at(server, "runs", run))


def test_a_source_is_trained_on_a_server_of_its_own_and_what_it_learned_is_saved(tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    file = tmp_path / "line.safetensors"
    arguments = ("train", LINEAR, "--epochs", "900", "--private", "--save", str(file))
    done = moduletree(*arguments, TMPDIR=str(tmp_path / "temporary"), MODULETREE_DATA_DIR=str(tmp_path / "unused"))
    assert (done.returncode, done.stderr) == (0, "")
    assert load_file(file)["weight"].item() == pytest.approx(2, abs=0.01)
    assert not list((tmp_path / "temporary").iterdir())
    assert not (tmp_path / "unused").exists()


def test_only_a_server_that_was_not_named_may_be_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with Client(f"http://127.0.0.1:{free_port()}") as client:
        assert found_tree(client, LINEAR, Named({}), is_needed=False) is None
        assert f"no server at {client.url}: one of its own trains this" in capsys.readouterr().err
        with pytest.raises(Unreachable):
            found_tree(client, LINEAR, Named({}), is_needed=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nosuch",), "There is no tree 'nosuch' at http://"),
        (("t_aaaaaaaaaa",), "There is no tree 't_aaaaaaaaaa'"),
        (("{",), "begins like JSON and is none"),
        (("mymodels:make",), "Or --private: on a server of its own."),
        (("TREE", "--epochs", "0"), "--epochs: "),
        (("TREE", "--optimizer-arg", "momentum=x"), "--optimizer-arg momentum: "),
        (("TREE", "--private"), "is no source to open"),
        (("TREE", "--detach", "--save", "x"), "--private and --save do not go with it"),
    ],
)
def test_what_cannot_be_trained_is_told_in_one_line(server: LiveServer, arguments: tuple[str, ...], said: str) -> None:
    tree = tree_of(server, "refused")
    given = [tree if argument == "TREE" else argument for argument in arguments]
    assert said in refused(at(server, "train", *given))


def test_what_does_not_go_together_is_told_in_one_line(server: LiveServer) -> None:
    assert "--cancel is for one run: name its id." in refused(at(server, "runs", "--cancel"))
    assert "--pause and --follow do not go together" in refused(at(server, "runs", "r_x", "--pause", "--follow"))
    assert "do not go with an id" in refused(at(server, "runs", "r_x", "--tree", "t"))
    nobody = f"http://127.0.0.1:{free_port()}"
    assert f"No server answers at {nobody}" in refused(run("train", LINEAR, "--server", nobody), 1)
    assert "is no address of a server" in refused(run("runs", "--server", "ftp://x"))


@contextmanager
def training(address: str) -> Iterator[Forked]:
    """A `train` that has told of an epoch."""
    arguments = ["train", LINEAR, "--epochs", LONG, "--server", address]
    process = Forked(arguments, cwd=ROOT, env=os.environ, has_stderr=True)
    assert process.stderr is not None
    with process.stdout, process.stderr:
        try:
            assert process.stdout.readline().startswith("r_")
            assert process.stdout.readline() == "running\n"
            assert process.stdout.readline().startswith("epoch ")
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_the_first_interrupt_cancels_and_the_second_leaves(tmp_path: Path) -> None:
    with LiveServer(tmp_path, "--token", "s3cret") as server:
        address = f"{server.url}/login?token=s3cret"
        with training(address) as process:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
            assert "\ncancelled  " in process.stdout.read()
            assert process.stderr is not None
            assert process.stderr.read() == "moduletree: cancelling; Ctrl+C again leaves at once.\n"
        with training(address) as process:
            assert process.stderr is not None
            server.process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGINT)
            assert process.stderr.readline() == "moduletree: cancelling; Ctrl+C again leaves at once.\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
            assert "goes on unless it was cancelled: moduletree runs r_" in process.stderr.read()
            server.process.send_signal(signal.SIGCONT)
        asked = refused(run("runs", "--server", server.url))
        assert asked.endswith("Here: --token TOKEN, or MODULETREE_TOKEN.\n")
