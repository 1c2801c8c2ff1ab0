"""What the program and the processes that work for it import: done once, in the process that all are forked from."""

import gc
import importlib
import os
import sys

from app.collector import collector_paused
from app.trees.sources.environment import QUIET

# Run in a fork under the name of `__main__`: there must be none of that name before.
RUN = ("app.trees.sources.forge", "app.trees.sources.checkpoint.reader")
# What every server imports only as it starts or is asked for its first pages.
LATER = ("anyio._backends._asyncio", "babel.dates", "numpy.ma", "rich._emoji_codes", "sqlite3.dbapi2", "uvloop")

os.environ |= QUIET
with collector_paused():
    for name in ("app.cli", "app.main", "app.serve", "app.training.worker", *RUN, *LATER):
        importlib.import_module(name)
    forge = sys.modules["app.trees.sources.forge"]
    forge.warm_trace()
    forge.warm_configs()
    # What is found out of every route is kept with it.
    sys.modules["app.main"].create_app(sys.modules["app.settings"].Settings())
    # Nor are templates compiled by each server anew.
    templates = sys.modules["app.pages.templating"].environment()
    for name in templates.list_templates():
        templates.get_template(name)
for name in RUN:
    del sys.modules[name]
for name in QUIET:
    del os.environ[name]
# No fork has to look at all of torch for garbage: it was two thirds of what the start of a server took.
gc.collect()
gc.freeze()
