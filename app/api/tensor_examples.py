"""The examples of the views of one tensor's values: those of the tutorial's weight, as this server answers."""

from typing import Any

from app.api.documents import PROBLEM

WEIGHT = 0.9385080337524414

VALUES = {"start": 0, "total": 1, "values": [WEIGHT]}
STATS = {
    "min": WEIGHT,
    "max": WEIGHT,
    "mean": WEIGHT,
    "std": None,
    "l2": WEIGHT,
    "zeros": 0,
    "nans": 0,
    "infs": 0,
    "histogram": {
        "edges": [WEIGHT - 0.5 + step / 64 for step in range(65)],
        "counts": [0] * 32 + [1] + [0] * 31,
    },
}
HEAT_MAP = {"index": [], "shape": [1, 1], "block": [1, 1], "cells": [[WEIGHT]]}
IN_THE_MAKING: dict[str, Any] = {
    "description": "It takes longer than a second: ask again. `total` is 0 while it waits for its turn",
    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "example": 1}},
    "content": {"application/json": {"example": {"done": 524_288_000, "total": 4_202_692_608}}},
}
TOO_MANY: dict[str, Any] = {
    "description": "Too many readings wait already",
    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "example": 5}},
    "content": {
        PROBLEM: {
            "example": {
                "type": "about:blank",
                "title": "Too Many Requests",
                "status": 429,
                "detail": "32 readings of values wait for their turn already; ask again in some seconds.",
            }
        }
    },
}
