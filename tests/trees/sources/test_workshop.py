"""Building in processes of its own: what comes back, what is limited, and that nothing is left over."""

import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from app.errors import CannotDo, Invalid, ModuletreeError, NotAllowed, TooLarge
from app.trees.sources.building import MIB, BuildLimits
from app.trees.sources.factories import CannotImport
from app.trees.sources.jobs import Built
from app.trees.sources.workshop import Workshop
from app.trees.trace import Trace
from app.trees.trace_inputs import parse_inputs
from tests.models import ZOO
from tests.trees.sources.configs import LLAMA_405B

ODD = "tests.trees.sources.odd_models"
LIMITS = BuildLimits(max_modules=10_000, max_depth=1_000, max_memory=512 * MIB, max_cpu_s=3, max_wall_s=6)
pytestmark = pytest.mark.usefixtures("spawning")


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MODULETREE_TOKEN", "secret")
        workshop = Workshop([ODD], LIMITS)
        workshop.start()
    yield workshop
    workshop.close()


def factory(target: str, device: str = "meta", **kwargs: Any) -> dict[str, Any]:
    return {"kind": "factory", "target": target, "kwargs": kwargs, "device": device}


def build(workshop: Workshop, made_by: str, device: str = "meta", **kwargs: Any) -> Built:
    return workshop.build(factory(f"{ODD}:{made_by}", device, **kwargs))


def trace(workshop: Workshop, source: dict[str, Any], *inputs: str) -> Trace:
    return workshop.trace(source, parse_inputs(inputs))


def test_a_factory_comes_back_as_a_description(workshop: Workshop) -> None:
    built = workshop.build(factory("torch.nn:Linear", in_features=3, out_features=4, bias=False))
    found = built.description
    assert [(cls.name, cls.module) for cls in found.classes] == [("Linear", "torch.nn.modules.linear")]
    assert found.extra_repr == {0: "in_features=3, out_features=4, bias=False"}
    assert (found.parameters.name, found.kinds[0].shape, found.kinds[0].device) == (["weight"], (4, 3), "meta")
    assert [str(one) for one in built.inputs] == ["1,3:float32"]


@pytest.mark.parametrize(
    ("name", "device"),
    [
        *[(name, "meta") for name in ("tied_parameters", "uninitialised", "complex_numbers", "nones")],
        *[(name, "cpu") for name in ("shared_within_shared", "sparse_buffer", "odd_dtypes", "odd_names")],
    ],
)
def test_odd_models_come_back_too(workshop: Workshop, name: str, device: str) -> None:
    module = ZOO[name]()
    built = build(workshop, "from_the_zoo", device, name=name)
    assert len(built.description.parent) == len(list(module.named_modules(remove_duplicate=False)))
    assert built.description.parameters.name == [
        path.rpartition(".")[2] for path, _ in module.named_parameters(remove_duplicate=False)
    ]


def test_gpt2_and_llama_come_back_and_are_traced(workshop: Workshop) -> None:
    for config, places in (({"model_type": "gpt2"}, 164), (LLAMA_405B, 1_645)):
        source = {"kind": "config", "config": config}
        assert len(workshop.build(source).description.parent) == places
        found = trace(workshop, source)
        assert found.stopped is None
        assert [str(one) for one in found.given] == ["input_ids=1,16:int64"]
        # Twice the parameters that take part in products, for each of 16 tokens, and attention on top.
        assert found.total_flops > 2 * 16 * (85_000_000 if places == 164 else 400_000_000_000)


def test_a_mixture_of_experts_is_traced(workshop: Workshop) -> None:
    found = trace(workshop, {"kind": "config", "config": {"model_type": "mixtral", "num_hidden_layers": 2}})
    assert found.stopped is None


def test_a_trace_of_a_factory_says_where_it_stops(workshop: Workshop) -> None:
    linear = factory("torch.nn:Linear", in_features=3, out_features=4)
    assert trace(workshop, linear, "2,3").total_flops == 48
    stopped = trace(workshop, linear, "2,4").stopped
    assert stopped is not None
    assert stopped.class_name == "Linear"


def test_what_needs_values_to_be_built_is_traced_all_the_same(workshop: Workshop) -> None:
    found = trace(workshop, factory(f"{ODD}:asks_for_values", "cpu"), "5,2")
    assert (found.stopped, found.total_flops) == (None, 2 * 5 * 4)


def test_what_is_wrong_with_the_source_is_told_without_a_process(workshop: Workshop) -> None:
    assert len(workshop.factories) > 163
    began = time.perf_counter()
    with pytest.raises(NotAllowed, match="--allow-import os"):
        workshop.build(factory("os:system", command="true"))
    with pytest.raises(Invalid) as error:
        workshop.build(factory("torch.nn:Linear", in_features="3"))
    assert len(error.value.errors) == 2
    with pytest.raises(Invalid, match="num_labels"):
        workshop.build({"kind": "config", "config": {"model_type": "gpt2", "num_labels": 10**9}})
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("raises", Invalid, "raised KeyError: 'no such thing', in raises (odd_models.py, line "),
        ("exits", Invalid, "raised SystemExit: 7"),
        ("raises_about_metadata", Invalid, "raises_about_metadata raised ValueError: no metadata of '\\udcff'"),
        ("lies", Invalid, "returned int, expected a torch.nn.Module"),
        ("asks_for_values", Invalid, "cannot be built on the meta device"),
        ("contains_itself", CannotDo, "contains itself"),
        ("exits_at_once", CannotDo, "was ended by an exit of its own"),
        ("answers_nonsense", CannotDo, "gave an answer that cannot be read"),
        ("crashes", CannotDo, "was ended by signal 11 (SIGSEGV)"),
        ("takes_memory", TooLarge, "more than 512 MiB of memory"),
        ("forks", Invalid, "PermissionError: os.fork is not allowed"),
        ("runs_a_program", Invalid, "PermissionError: subprocess.Popen is not allowed"),
    ],
)
def test_what_does_not_behave_is_one_clear_error(
    workshop: Workshop, name: str, error: type[ModuletreeError], says: str
) -> None:
    with pytest.raises(error) as raised:
        build(workshop, name)
    assert says in raised.value.detail
    assert "\n" not in raised.value.detail


def test_what_takes_too_long_is_ended(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "limits", BuildLimits(max_modules=100, max_cpu_s=1, max_wall_s=2))
    for name in ("spins", "sleeps"):
        with pytest.raises(TooLarge, match=r"more than 1 s of processor time or 2 s in all") as error:
            build(workshop, name)
        assert error.value.limit == 1


def test_a_trace_that_takes_too_long_or_ends_its_process_is_not_called_a_build(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "limits", BuildLimits(max_modules=100, max_cpu_s=1, max_wall_s=2))
    for does, error, says in (
        ("spins", TooLarge, "Tracing takes more than 1 s of processor time or 2 s in all"),
        ("exits_at_once", CannotDo, "The process that traced the model was ended by an exit of its own"),
    ):
        with pytest.raises(error, match=says):
            trace(workshop, factory(f"{ODD}:Misbehaving", does=does), "1")


def test_the_network_is_not_reached(workshop: Workshop) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.1)
        with pytest.raises(Invalid, match=r"PermissionError: socket\.\w+ is not allowed"):
            build(workshop, "connects", port=server.getsockname()[1])
        with pytest.raises(TimeoutError):
            server.accept()


def test_files_are_not_written(workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="OSError"):
        build(workshop, "writes", path=str(tmp_path / "file"))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0


def test_a_build_sees_no_secrets_no_input_and_an_empty_folder(workshop: Workshop) -> None:
    folder, secrets, stdin = build(workshop, "tells_where").description.name[1:]
    assert folder != f"0_{Path.cwd().name}"
    assert (secrets, stdin) == ("1_0", "2_0")


def test_what_a_constructor_prints_goes_nowhere(workshop: Workshop, capfd: pytest.CaptureFixture[str]) -> None:
    assert build(workshop, "talks").notes == ["mind the step"]
    captured = capfd.readouterr()
    assert "hello" not in captured.out + captured.err


def test_a_broken_extra_repr_does_not_break_the_tree(workshop: Workshop) -> None:
    assert "ZeroDivisionError" in build(workshop, "BrokenRepr").description.extra_repr[0]


def test_too_many_modules_and_too_large_a_model_are_refused(workshop: Workshop) -> None:
    with pytest.raises(TooLarge, match="more than 10,000 modules"):
        build(workshop, "many", count=20_000)
    with pytest.raises(TooLarge, match="on the CPU the limit here is 500,000,000"):
        build(workshop, "large", "cpu", size=10**6)


def test_another_kind_of_source_is_refused(workshop: Workshop) -> None:
    with pytest.raises(Invalid, match="expected one of factory, config, got 'linear'"):
        workshop.build({"kind": "linear"})


def test_calls_from_many_threads_all_get_their_own_answer(workshop: Workshop) -> None:
    answers: dict[int, int] = {}

    def ask(count: int) -> None:
        answers[count] = len(build(workshop, "many", count=count).description.parent)

    threads = [threading.Thread(target=ask, args=(count,)) for count in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {count: count + 1 for count in range(1, 9)}


def test_a_warm_process_answers_quickly(workshop: Workshop) -> None:
    build(workshop, "many", count=1)
    assert min(seconds(workshop) for _ in range(5)) < 0.5


def seconds(workshop: Workshop) -> float:
    began = time.perf_counter()
    build(workshop, "many", count=10)
    return time.perf_counter() - began


def test_nothing_is_left_over(workshop: Workshop) -> None:
    build(workshop, "many", count=1)
    pid = workshop.pid
    assert pid is not None
    # An answer comes before its process has ended.
    wait_until(lambda: not children_of(pid))
    before = num_descriptors(pid)
    for name in ("talks", "raises", "exits_at_once", "talks"):
        with suppress(ModuletreeError):
            build(workshop, name)
    wait_until(lambda: not children_of(pid))
    wait_until(lambda: num_descriptors(pid) == before)


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def num_descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_lost_process_is_started_anew_and_none_leaves_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    workshop = Workshop([ODD], LIMITS)
    assert len(build(workshop, "many", count=3).description.parent) == 4
    first = workshop.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: Path(f"/proc/{first}/stat").read_text(encoding="utf-8").split()[2] == "Z")
    assert len(build(workshop, "many", count=3).description.parent) == 4
    assert workshop.pid != first
    assert len(list(tmp_path.iterdir())) == 1
    workshop.close()
    assert workshop.pid is None
    assert not list(tmp_path.iterdir())


def test_the_first_job_may_draw_random_numbers() -> None:
    with closing(Workshop((), LIMITS)) as workshop:
        built = workshop.build(factory("torch.nn:Embedding", num_embeddings=3, embedding_dim=4))
    assert built.description.parameters.name == ["weight"]


def test_a_process_lost_while_it_is_given_a_job_is_one_clear_error() -> None:
    with closing(Workshop((), LIMITS)) as workshop, ThreadPoolExecutor(1) as pool:
        workshop.load()
        assert workshop.pid is not None
        os.kill(workshop.pid, signal.SIGSTOP)
        before = num_descriptors(os.getpid())
        # More than a socket holds: to send it waits for who reads.
        asked = pool.submit(workshop.build, factory("torch.nn:Identity", value=["x" * 1_000] * 5_000))
        wait_until(lambda: num_descriptors(os.getpid()) == before + 1)
        os.kill(workshop.pid, signal.SIGKILL)
        with pytest.raises(CannotDo, match="was lost"):
            asked.result()


def test_an_end_waits_for_no_start() -> None:
    workshop = Workshop((), LIMITS)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lambda: workshop.factories)
        wait_until(lambda: workshop.pid is not None)
        workshop.close()
        with pytest.raises(CannotDo):
            asked.result()


def test_nothing_is_started_after_the_end() -> None:
    workshop = Workshop((), LIMITS)
    workshop.close()
    with pytest.raises(CannotDo, match="is ending"):
        workshop.build(factory("torch.nn:ReLU"))
    assert workshop.pid is None


def test_what_cannot_be_imported_is_told_at_the_start() -> None:
    workshop = Workshop(["tests.trees.sources.broken_package", "nosuch"])
    with pytest.raises(CannotImport) as error:
        assert workshop.factories
    assert "the data set is not there" in error.value.detail
    assert "No module named 'nosuch'" in error.value.detail
    workshop.close()


@pytest.mark.parametrize("value", [10**30, "\ud800", {"deeper": [-(2**70)]}], ids=["number", "surrogate", "nested"])
@pytest.mark.parametrize("kind", ["config", "factory"])
def test_what_no_message_can_carry_is_invalid(workshop: Workshop, kind: str, value: object) -> None:
    source = {"kind": "config", "config": {"model_type": "gpt2", "_name_or_path": value}}
    if kind == "factory":
        source = factory("torch.nn:Identity", value=value)
    with pytest.raises(ModuletreeError):
        workshop.build(source)
