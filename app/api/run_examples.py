"""The examples of runs in the API's document: the tutorial's, as this server answers about it."""

from typing import Any

from app.api.documents import PROBLEM
from app.api.examples import page

CONFIG: dict[str, Any] = {
    "epochs": 10,
    "lr": 0.01,
    "optimizer": "SGD",
    "optimizer_args": {},
    "loss": "MSELoss",
    "loss_args": {},
    "lr_scheduler": None,
    "lr_scheduler_args": {},
    "seed": None,
    "data": {"kind": "line", "slope": 2.0, "intercept": 1.0, "count": 10, "noise": 0.0, "noise_seed": 0},
    "batch_size": None,
    "shuffle": True,
    "validation_split": 0.0,
    "early_stopping": None,
    "frozen": [],
    "module_stats_every": 0,
    "checkpoint_every": 0,
    "step": "autograd",
    "executor": "local",
}
NEW_RUNS: Any = {
    "tutorial": {"summary": "The tutorial's run", "value": {"epochs": 10, "lr": 0.01}},
    "momentum": {
        "summary": "Another optimizer, points of one's own",
        "value": {
            "epochs": 100,
            "optimizer": "Adam",
            "optimizer_args": {"betas": [0.9, 0.99]},
            "data": {"kind": "table", "x": [[0.0], [1.0], [2.0]], "y": [[1.0], [3.0], [5.0]]},
        },
    },
    "noise": {
        "summary": "Noise, mini-batches, a validation split, a schedule, and an early stop",
        "value": {
            "epochs": 500,
            "seed": 0,
            "data": {"kind": "line", "count": 100, "noise": 0.5},
            "lr": 0.0001,
            "batch_size": 16,
            "validation_split": 0.2,
            "lr_scheduler": "StepLR",
            "lr_scheduler_args": {"step_size": 100, "gamma": 0.5},
            "early_stopping": {"patience": 20, "monitor": "validation_loss"},
        },
    },
    "file": {
        "summary": "Columns of an uploaded file",
        "value": {
            "epochs": 100,
            "data": {"kind": "csv", "upload": "d_ab2cd3ef4g", "x": ["age"], "y": ["height"], "missing": "drop"},
        },
    },
}
RUN: dict[str, Any] = {
    "id": "r_ab2cd3ef4g",
    "tree": "t_ab2cd3ef4g",
    "tree_name": "linear_model1",
    "tree_deleted": False,
    "tree_revision": 1,
    "number": 1,
    "status": "succeeded",
    "epochs": 10,
    "epochs_done": 10,
    "loss": 0.02715681865811348,
    "nonfinite": None,
    "best_loss": 0.02715681865811348,
    "validation_loss": None,
    "best_validation_loss": None,
    "lr": None,
    "stopped_early": False,
    "step": "autograd",
    "num_module_stats": 0,
    "overhead": None,
    "fit": {"slope": 2.0483944416046143, "intercept": 0.6954677700996399},
    "checkpoint_epoch": None,
    "config": CONFIG,
    "created_at": "2026-01-01T12:00:00Z",
    "started_at": "2026-01-01T12:00:00.004200Z",
    "ended_at": "2026-01-01T12:00:00.011300Z",
    "error": None,
    "note": None,
    "result_revision": 2,
}
QUEUED = RUN | {
    "status": "queued",
    "epochs_done": 0,
    "loss": None,
    "best_loss": None,
    "step": None,
    "fit": None,
    "started_at": None,
    "ended_at": None,
    "result_revision": None,
}
RUNS = page(RUN)
EPOCHS = {
    "items": [
        {
            "epoch": 0,
            "loss": 37.13650131225586,
            "at": "2026-01-01T12:00:00.004900Z",
            "slope": 0.9385080337524414,
            "intercept": 0.5002855658531189,
        }
    ],
    "next": 0,
}
EPOCHS_CSV = """\
epoch,loss,at,slope,intercept,validation_loss,lr
0,37.13650131225586,2026-01-01T12:00:00.004900Z,0.9385080337524414,0.5002855658531189,,
"""
APPLIED = {
    "revision": 5,
    "num_applied": 5,
    "num_unfit": 1,
    "unfit": [{"path": "sub1.weight", "msg": "(1,) float32 in the run, (2,) float32 in the tree"}],
}
STREAM = """\
retry: 1000

id: 1
event: status
data: {"status":"queued","at":"2026-01-01T12:00:00.000100Z"}

id: 2
event: status
data: {"status":"running","at":"2026-01-01T12:00:00.004200Z"}

id: 3
event: epoch
data: {"epoch":0,"loss":37.13650131225586,"at":"2026-01-01T12:00:00.004900Z"}

id: 4
event: status
data: {"status":"succeeded","at":"2026-01-01T12:00:00.011300Z"}

id: 5
event: end
data: {"id":"r_ab2cd3ef4g","status":"succeeded","epochs":1,"epochs_done":1,"loss":37.13650131225586}

"""
BATCHED = """\
id: 5
event: epochs
data: {"epoch":[0,2],"loss":[37.13650131225586,6.440334320068359,null],"at":"2026-01-01T12:00:00.005100Z",\
"slope":1.8585457801818848,"intercept":0.6507298946380615,"nonfinite":[[2,2,"nan"]]}

"""
SEVERAL = """\
id: 5d0c2f2a.3.0
event: epoch
data: {"run":"r_ab2cd3ef4g","epoch":0,"loss":37.13650131225586,"at":"2026-01-01T12:00:00.004900Z"}

"""


def _problem(status: int, title: str, detail: str) -> dict[str, Any]:
    example = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return {"content": {PROBLEM: {"example": example}}}


NO_SUCH_RUN: dict[str, Any] = {
    "description": "No such run",
    **_problem(404, "Not Found", "There is no run 'r_ab2cd3ef4g'. GET /api/runs lists those there are."),
}
NOT_NOW: dict[str, Any] = {
    "description": "Not in the state that the run is in",
    **_problem(409, "Conflict", "The run r_ab2cd3ef4g is succeeded: it is over."),
}
CANNOT_TRAIN: dict[str, Any] = {
    "description": "The tree cannot be trained",
    **_problem(409, "Conflict", "The tree 'linear_model1' cannot be trained: no parameter of it requires a gradient."),
}
QUEUE_FULL: dict[str, Any] = {
    "description": "Too many runs wait already",
    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "example": 5}},
    **_problem(
        429,
        "Too Many Requests",
        "16 runs wait already, the most that may: try again when one has ended, or cancel one.",
    ),
}
