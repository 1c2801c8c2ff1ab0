"""What workers tell of the runs that they train: noted on the run, written down, and followed by what is to be done."""

from collections.abc import Mapping, Sequence

from app.training import messages
from app.training.checkpoint_times import CheckpointTimes
from app.training.commits import Commits
from app.training.ends import Ends
from app.training.live import LiveRun, Phase
from app.training.messages import AboutRun
from app.training.places import Places
from app.training.run import RunStatus

# A run that so many workers in a row were lost with is what they die of.
MOST_LOST = 3


class Reports:
    """Listens to the executor, about the runs of `live`."""

    def __init__(
        self, live: Mapping[str, LiveRun], places: Places, ends: Ends, commits: Commits, times: CheckpointTimes
    ) -> None:
        self._live = live
        self._places = places
        self._ends = ends
        self._commits = commits
        self._times = times

    def tell(self, told: Sequence[AboutRun]) -> None:
        """Take what a worker said; a place that is free now is given away."""
        for message in told:
            if (live := self._live.get(message.run)) is not None:
                self._commits.add(live, self._note(live, message))
        self._places.fill()

    def is_free(self) -> None:
        """Give a worker that waits the run that waits longest."""
        self._places.fill()

    def _note(self, live: LiveRun, message: AboutRun) -> Sequence[str]:
        """Note one message; return the names of files that nobody needs once it is written."""
        match message:
            case messages.Epochs():
                live.train(message)
            case messages.Restored(epoch=epoch, damaged=damaged):
                live.restore(epoch, damaged)
            case messages.Checkpointed(epoch=epoch, path=name, took_s=took_s):
                self._times.begin(live.run.id, took_s)
                return live.keep_checkpoint(name, epoch)
            case messages.NotCheckpointed(epoch=epoch, error=error):
                live.remark(f"the checkpoint after {epoch:,} epochs could not be written: {error}")
            case messages.Paused() if live.phase is Phase.TRAINING:
                live.phase = Phase.PAUSED
                live.be(RunStatus.PAUSED)
            case messages.Resumed() if live.phase is Phase.TRAINING:
                live.be(RunStatus.RUNNING)
            case messages.Done() | messages.Failed() | messages.Cancelled() | messages.Interrupted() | messages.Lost():
                self._note_end(live, message)
        return []

    def _note_end(self, live: LiveRun, message: messages.Outcome | messages.Lost) -> None:
        match message:
            case messages.Done():
                self._ends.finish(live, message)
            case messages.Failed(error=error):
                self._ends.end(live, RunStatus.FAILED, error=error)
            case messages.Interrupted() | messages.Lost() if live.phase is Phase.WAITING:
                # It has lost its worker, and not its turn: then it goes on from its last checkpoint.
                live.phase = Phase.QUEUED
            case messages.Lost() if _has_yet_to_go_on(live) and live.num_lost < MOST_LOST:
                live.num_lost += 1
                self._places.put_back(live)
            case messages.Interrupted(error=error) if live.phase is not Phase.CANCELLING:
                self._ends.interrupt(live, error or None)
            case messages.Lost(error=error) if live.phase is not Phase.CANCELLING:
                self._ends.interrupt(live, f"{error} at epoch {live.run.epochs_done}")
            case _:
                self._ends.end(live, RunStatus.CANCELLED)


def _has_yet_to_go_on(live: LiveRun) -> bool:
    """Whether a worker has it that has not said from where it goes on: nothing is lost with such a worker."""
    return live.phase is Phase.TRAINING and live.run.status is RunStatus.QUEUED
