"""What a building process may not do; each limit where the system has it."""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

from app.trees.sources.building import BuildLimits

# linux/sched.h, linux/prctl.h
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
MAX_FILES = 256

FORBIDDEN = (
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
    "socket.sendmsg",
    "urllib.Request",
)


def confine(limits: BuildLimits, folder: Path) -> None:
    """Limit this process for the rest of its life, and let it stand in `folder`.

    Memory and processor time are the kernel's to watch; files cannot be written, processes and threads not started,
    the network not reached. It ends with the process that started it.
    """
    os.chdir(folder)
    _die_with_parent()
    _leave_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_CPU, limits.max_cpu_s, limits.max_cpu_s + 1)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, MAX_FILES)
    _limit(resource.RLIMIT_NPROC, 0)
    if present := _address_space():
        _limit(resource.RLIMIT_AS, present + limits.max_memory)
    sys.dont_write_bytecode = True
    # Also where the kernel's limits do not bind, as for root.
    sys.addaudithook(_refuse)


def _refuse(event: str, _args: tuple[object, ...]) -> None:
    if event in FORBIDDEN:
        raise PermissionError(f"{event} is not allowed while a model is built")


def _limit(what: int, soft: int, hard: int | None = None) -> None:
    # A limit that is lower already stays; macOS knows some of them and refuses to set them.
    with suppress(ValueError, OSError):
        _, most = resource.getrlimit(what)
        wanted = soft if hard is None else hard
        top = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(what, (min(soft, top), top))


def _address_space() -> int:
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    return 0


def _die_with_parent() -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _leave_network() -> None:
    # A network namespace of its own has no way out; where the system does not let us, the audit hook is left.
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if libc.unshare(CLONE_NEWNET) != 0:
            libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
