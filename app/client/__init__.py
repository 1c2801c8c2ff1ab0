"""A client of a running server, for programs: `from app.client import Client`.

Client | AsyncClient (httpx)  ->  a method  ->  its plan (no I/O)  ->  Request  ->  Answer  ->  Tree, Run, Module, ...
                                  events    ->  Following  ->  Parser  ->  Message  ->  Event, across reconnects

One plan serves both clients; what they raise is drawn in `app.client.errors`.
"""

from app.client.clients import DEFAULT_URL, AsyncClient, Client
from app.client.errors import (
    ClientError,
    Conflict,
    Invalid,
    Misfit,
    NotAllowed,
    NotFound,
    NotModuletree,
    Problem,
    RevisionMismatch,
    ServerFailed,
    StreamLost,
    TooLarge,
    TooManyRuns,
    Unauthorized,
    Unreachable,
)
from app.client.events import EndEvent, EpochEvent, EpochsEvent, Event, ModulesEvent, OtherEvent, StatusEvent
from app.client.sse import Message
from app.client.types import (
    Applied,
    Buffer,
    Curve,
    Data,
    Epoch,
    Insight,
    Module,
    ModuleStats,
    Parameter,
    Picture,
    Run,
    Tree,
)

__all__ = [
    "DEFAULT_URL",
    "Applied",
    "AsyncClient",
    "Buffer",
    "Client",
    "ClientError",
    "Conflict",
    "Curve",
    "Data",
    "EndEvent",
    "Epoch",
    "EpochEvent",
    "EpochsEvent",
    "Event",
    "Insight",
    "Invalid",
    "Message",
    "Misfit",
    "Module",
    "ModuleStats",
    "ModulesEvent",
    "NotAllowed",
    "NotFound",
    "NotModuletree",
    "OtherEvent",
    "Parameter",
    "Picture",
    "Problem",
    "RevisionMismatch",
    "Run",
    "ServerFailed",
    "StatusEvent",
    "StreamLost",
    "TooLarge",
    "TooManyRuns",
    "Tree",
    "Unauthorized",
    "Unreachable",
]
