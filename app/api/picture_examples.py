"""The examples of pictures in the API's document: the tutorial's run."""

from typing import Any

from app.api.run_examples import RUN

CURVE: dict[str, Any] = {
    "epoch": [0, 1, 2],
    "seconds": [0.0, 0.00014, 0.00028],
    "value": [37.13650131225586, 6.440334320068359, 1.1369059085845947],
    "nonfinite": [],
}
PICTURE: dict[str, Any] = {
    "run": RUN,
    "last_event": 14,
    "num_epochs": 10,
    "seconds": 0.0013,
    "smooth": 0.0,
    "loss": CURVE,
    "smoothed": None,
    "validation_loss": None,
    "smoothed_validation_loss": None,
}
COMPARED: dict[str, Any] = {
    "items": [PICTURE, PICTURE | {"run": RUN | {"id": "r_bc3de4fg5h", "number": 2}}],
    "hyperparameters": [
        {"name": "lr", "values": [0.01, 0.001], "differs": True},
        {"name": "optimizer", "values": ["SGD", "SGD"], "differs": False},
    ],
}
COMPARED_CSV = """\
run,number,epoch,seconds,loss,smoothed,validation_loss,smoothed_validation_loss
r_ab2cd3ef4g,1,0,0.0,37.13650131225586,,,
"""
