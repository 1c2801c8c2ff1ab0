"""Every knob of the server: its default, its line of documentation, and the only reading of the environment.

argument (an option of the command line)  >  MODULETREE_NAME in the environment  >  default
"""

import ipaddress
import os
import sys
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "MODULETREE_"
MIB = 1024 * 1024

S = TypeVar("S", bound=BaseSettings)


class SettingError(ValueError):
    """A setting that cannot be used; the message names the setting, the value and what was expected."""


def split_at_commas(value: object) -> object:
    """The parts of a text between its commas; anything else as it is."""
    if isinstance(value, str):
        return tuple(part for part in (part.strip() for part in value.split(",")) if part)
    return value


def default_data_dir() -> Path:
    """The folder where programs of this user keep their data, by the custom of the system."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    elif sys.platform == "darwin":
        base = Path("~/Library/Application Support")
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share")
    return base / "moduletree"


def is_loopback(host: str) -> bool:
    """Whether `host` names only this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """What the server was told, checked; making one opens and creates nothing."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; anything but loopback asks for a token.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder that keeps trees and runs; made if missing. By default the user's own data folder.",
    )
    database: str = Field(
        default_factory=lambda data: f"sqlite:///{quote(str(data['data_dir'] / 'moduletree.db'))}",
        description="Where rows are kept: a sqlite:/// URL. By default moduletree.db in the data folder.",
    )
    root: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(split_at_commas)] = Field(
        (), description="Folder that checkpoints may be opened from, with all that is under it."
    )
    allow_import: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_at_commas)] = Field(
        (),
        description="Python module whose public callables that return modules may build trees, beside torch.nn; or "
        "module:name for one callable.",
    )
    token: str | None = Field(
        None,
        repr=False,
        min_length=1,
        description="Secret that every request must bring. Off loopback one is made where none is given.",
    )
    allow_host: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_at_commas)] = Field(
        (), description="Further name that the server is reached by, with any port, or name:port for that one."
    )
    max_modules: int = Field(250_000, ge=1, description="Most modules that a tree may have.")
    max_depth: int = Field(20_000, ge=1, description="Most levels that a tree may be deep.")
    max_body: int = Field(32 * MIB, ge=1024, description="Most bytes that the body of a request may have.")
    max_upload: int = Field(256 * MIB, ge=1024, description="Most bytes that an uploaded file may have.")
    workers_for_runs: int = Field(1, ge=1, le=64, description="Worker processes; each trains one run at a time.")
    max_queued_runs: int = Field(16, ge=0, description="Most runs that may wait for a worker.")

    checkpoint_seconds: float = Field(
        30,
        ge=0,
        le=86_400,
        description="Seconds after which a run writes a checkpoint by itself, whatever it was asked for; 0 is never.",
    )
    resume_interrupted: bool = Field(
        False, description="Go on at the start with all runs that were interrupted, but for those that were paused."
    )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address that the server listens on."""
        return is_loopback(self.host)

    @field_validator("data_dir", "root")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(path.expanduser().absolute() for path in value)
        return value.expanduser().absolute()

    @field_validator("database")
    @classmethod
    def _is_sqlite(cls, value: str) -> str:
        if not value.startswith("sqlite:///"):
            raise ValueError("a URL that begins with sqlite:/// (other databases are not supported yet)")
        return value

    @field_validator("token")
    @classmethod
    def _fits_a_header(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isprintable() and " " not in value):
            raise ValueError("printable ASCII characters without spaces")
        return value


class Reach(BaseSettings):
    """Where a program finds a server that runs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    server: str = Field(
        "http://127.0.0.1:8000", description="Address of the server; the one that it prints holds its token too."
    )
    token: str | None = Field(None, repr=False, min_length=1, description="Token of the server, where it asks for one.")

    @property
    def is_named(self) -> bool:
        """Whether a server was named, and not only the one that might be there."""
        return "server" in self.model_fields_set


def env_name(name: str) -> str:
    """The environment variable of the setting `name`."""
    return PREFIX + name.upper()


def load(options: dict[str, Any]) -> Settings:
    """Return what a server is to be told, as `load_as` reads it."""
    return load_as(Settings, options)


def load_as(kind: type[S], options: dict[str, Any]) -> S:
    """Settings from those `options` that are not None and not empty, then the environment, then the defaults.

    Raises SettingError, in one line, for all that does not fit.
    """
    try:
        return kind(**{name: value for name, value in options.items() if value not in (None, ())})
    except ValidationError as error:
        raise SettingError(_in_a_line(error)) from None


def _in_a_line(error: ValidationError) -> str:
    return "; ".join(
        f"{problem['loc'][0]} is {_shown(str(problem['loc'][0]), problem['input'])}, "
        f"expected: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
        if problem["type"] != "default_factory_not_called"
    )


def _shown(name: str, value: object) -> str:
    if name == "token":
        return "not fit to print"
    if name == "database":
        # A URL may hold a password.
        return repr(str(value).partition("://")[0] + "://…")
    return repr(value)
