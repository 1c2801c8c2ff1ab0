"""The version of Moduletree that runs."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("moduletree")
except PackageNotFoundError:
    VERSION = "0+checkout"
