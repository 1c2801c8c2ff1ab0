"""The building processes as the server sees them: jobs go in, descriptions, traces or one clear error come out."""

import shutil
import socket
import tempfile
import threading
from collections.abc import Mapping, Sequence

import msgspec

from app.errors import CannotDo, TooLarge
from app.processes import Process, launcher, signal_name
from app.translation import N_, said
from app.trees.sources import jobs
from app.trees.sources.building import BuildLimits
from app.trees.sources.config import check_config
from app.trees.sources.environment import environment
from app.trees.sources.factories import CannotImport, Factories
from app.trees.sources.factory import check_factory
from app.trees.sources.forward import Output
from app.trees.trace import Trace
from app.trees.trace_inputs import Input

# torch's import on a slow disk, and that of what is allowed.
START_S = 120
# What may pass before a job's own time begins: imports that the warm process is busy with.
GRACE_S = 60
# Of a forward that is tried before a run: who waits for it has asked for no more than to be let in.
FORWARD_S = 10
LOST = said("The building process was lost; try again.")


class Workshop:
    """Builds and traces foreign modules in processes of their own; thread-safe, each call waits for its answer.

    At most `max_builds` are at work at a time. The warm process begins at `start`, or with the first call, and anew
    when it was lost.
    """

    def __init__(
        self, allow_import: Sequence[str] = (), limits: BuildLimits | None = None, *, max_builds: int = 2
    ) -> None:
        self.limits = limits or BuildLimits()
        self._allowed = tuple(allow_import)
        self._lock = threading.Lock()
        self._turn = threading.BoundedSemaphore(max_builds)
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._folder: str | None = None
        self._factories: Factories | None = None
        self._is_closed = False

    def start(self) -> None:
        """Start the warm process and return at once."""
        with self._lock:
            self._start()

    def load(self) -> None:
        """Start the warm process and wait until its table is there; raises as `factories` does."""
        with self._lock:
            self._greeted()

    @property
    def pid(self) -> int | None:
        """The warm process's id, None where there is none."""
        return self._process.pid if self._process is not None else None

    @property
    def factories(self) -> Factories:
        """The table; waits for the warm process. Raises `CannotImport` where something allowed cannot be had."""
        with self._lock:
            return self._greeted()

    def build(self, source: Mapping[str, object]) -> jobs.Built:
        """Return the tree of a `factory` or `config` source; its arguments are checked before a process is asked.

        Raises `NotAllowed`, `Invalid`, `TooLarge` or `CannotDo`, each with one sentence on why.
        """
        self.check(source)
        answer = self._ask(jobs.BuildJob(dict(source), self.limits))
        if isinstance(answer, jobs.Built):
            return answer
        raise CannotDo(said("The building process gave no tree."))

    def trace(self, source: Mapping[str, object], inputs: Sequence[Input]) -> Trace:
        """Return the trace of the source's module on inputs, or on those it suggests itself; raises as `build` does."""
        self.check(source)
        answer = self._ask(jobs.TraceJob(dict(source), list(inputs), self.limits))
        if isinstance(answer, jobs.Traced):
            return answer.trace
        raise CannotDo(said("The building process gave no trace."))

    def forward(
        self, source: Mapping[str, object], shapes: Sequence[tuple[int, ...]], frozen: Sequence[str]
    ) -> list[Output]:
        """Return what the source's module gives for inputs of each shape; raises as `build` does.

        The modules at `frozen` take no gradient.
        """
        self.check(source)
        limits = msgspec.structs.replace(self.limits, max_cpu_s=FORWARD_S, max_wall_s=2 * FORWARD_S)
        answer = self._ask(jobs.ForwardJob(dict(source), list(shapes), list(frozen), limits))
        if isinstance(answer, jobs.Forwarded):
            return answer.outputs
        raise CannotDo(said("The building process gave no tensor."))

    def check(self, source: Mapping[str, object]) -> None:
        """Raise what is wrong with a source as far as can be told without building it."""
        if source.get("kind") == "factory":
            check_factory(source, self.factories)
        elif source.get("kind") == "config":
            check_config(source, self.limits)

    def close(self) -> None:
        """End the warm process, and with it all that it is doing, for good: who waits for it is told `CannotDo`."""
        self._is_closed = True
        # Killed before the lock is asked for: who waits for its start has that.
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._stop()

    def _ask(self, job: jobs.Job) -> jobs.Answer:
        message = jobs.encoded(job)
        with self._turn, self._begun() as answers:
            try:
                jobs.send(answers, message)
                body = jobs.receive(answers, job.limits.max_wall_s + GRACE_S)
            except (jobs.NoAnswer, ConnectionError) as error:
                raise CannotDo(LOST) from error
        try:
            answer: jobs.Answer = jobs.answer_decoder.decode(body)
        except msgspec.DecodeError as error:
            raise CannotDo(
                said("The building process gave an answer that cannot be read: %(error)s.", error=str(error))
            ) from error
        if isinstance(answer, jobs.Failed):
            raise jobs.error_of(answer)
        if isinstance(answer, jobs.Died):
            raise _death(answer, job)
        return answer

    def _begun(self) -> socket.socket:
        # Our end of a new job's socket; the warm process has the other.
        with self._lock:
            for is_last in (False, True):
                self._greeted()
                ours, theirs = socket.socketpair()
                try:
                    if self._control is not None:
                        socket.send_fds(self._control, [b"J"], [theirs.fileno()])
                    break
                except ConnectionError as error:
                    ours.close()
                    self._stop()
                    if is_last:
                        raise CannotDo(LOST) from error
                finally:
                    theirs.close()
        return ours

    def _greeted(self) -> Factories:
        self._start()
        if self._factories is None:
            self._factories = self._greeting()
        return self._factories

    def _greeting(self) -> Factories:
        assert self._control is not None
        try:
            greeting = jobs.greeting_decoder.decode(jobs.receive(self._control, START_S))
        except jobs.NoAnswer as error:
            self._stop()
            raise CannotDo(said("The process that builds models did not start.")) from error
        self._control.settimeout(None)
        if isinstance(greeting, jobs.Unusable):
            self._stop()
            raise CannotImport(greeting.detail)
        return Factories(greeting.allowed, greeting.factories)

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._stop()
        if self._is_closed:
            raise CannotDo(said("Nothing is built anymore: the server is ending."))
        self._folder = tempfile.mkdtemp(prefix="moduletree-")
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = launcher.start(
                "app.trees.sources.forge", theirs, self._folder, *self._allowed, environment=environment()
            )
        self._control = ours

    def _stop(self) -> None:
        # The children die with the warm process, which the kernel sees to.
        self._factories = None
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _death(died: jobs.Died, job: jobs.Job) -> TooLarge | CannotDo:
    limits, is_trace = job.limits, not isinstance(job, jobs.BuildJob)
    if died.out_of_time:
        spent = (
            N_("Tracing takes more than %(cpu)s s of processor time or %(wall)s s in all, which is the limit here.")
            if is_trace
            else N_(
                "Building takes more than %(cpu)s s of processor time or %(wall)s s in all, which is the limit here."
            )
        )
        return TooLarge(said(spent, cpu=limits.max_cpu_s, wall=limits.max_wall_s), limits.max_cpu_s)
    how = (
        said("signal %(number)s (%(name)s)", number=died.signal, name=signal_name(died.signal))
        if died.signal
        else said("an exit of its own")
    )
    if is_trace:
        return CannotDo(said("The process that traced the model was ended by %(how)s.", how=how))
    return CannotDo(said("The process that built the model was ended by %(how)s.", how=how))
