"""The process that commands are forked from; run by `tests.kit.forks`, which says why.

A request is one message on the socket that it is told of, and with it come the descriptors of
stdin, stdout, stderr and of a pipe, which is written two lines: the pid, and how it ended.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from pathlib import Path
from typing import Any, TextIO

import imgsync
from imgsync import wallclock

MAX_REQUEST = 1 << 18

_NAMESPACES = Path("/run/netns")
_CLONE_NEWNET = 0x40000000

REPORT = ("imgsync.commands.report.main",)
"""What `imgsync report` is made of, and nothing that peers need."""


def import_all() -> None:
    """All that a command may import, but what draws reports."""
    for found in pkgutil.walk_packages(imgsync.__path__, "imgsync."):
        if not found.name.endswith(".__main__") and ".report" not in found.name:
            importlib.import_module(found.name)


def import_report() -> None:
    """All that reports are made with."""
    for name in REPORT:
        importlib.import_module(name)


def serve(control: socket.socket) -> list[str]:
    """Fork at each request; returns the command line, and does so in what is forked alone."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, 4)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        if not message:
            control.close()
            sys.exit()
        if os.fork() == 0:
            control.close()
            return become(json.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def become(request: dict[str, Any], *descriptors: int) -> list[str]:
    """Fork once more: one becomes the command, the other tells of it and waits for its end."""
    *streams, told = descriptors
    if (pid := os.fork()) != 0:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for descriptor in streams:
            os.close(descriptor)
        os.write(told, b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(told)
    # This process may have been started with these ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    # Ours took another file for its own, which it could seek in.
    sys.stdout = open_stdout(sys.stdout)
    # The one thing that differs from process to process and is found out at an import.
    wallclock._EPOCH_NS = wallclock._skew_ns()
    os.environ.clear()
    os.environ.update(request["env"])
    if request["leads"]:
        os.setsid()
    if request["network"] is not None:
        enter_network(request["network"])
    return list(request["command"])


def open_stdout(before: TextIO) -> TextIO:
    """As a process that was started anew has it."""
    buffering = 1 if os.isatty(1) else -1
    return open(1, "w", buffering, before.encoding, before.errors, closefd=False)


def enter_network(name: str) -> None:
    """Live in a network namespace that `ip netns` has made, as setns(2) of its file has it."""
    with (_NAMESPACES / name).open() as namespace:
        # `os.setns` is there from Python 3.12 on.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)


if __name__ == "__main__":
    load = import_report if sys.argv[2:] == ["report"] else import_all
    # Nothing of what is imported becomes garbage, and who looks through it for that copies all of
    # it: each fork would, when it ends, and for longer than a short command takes.
    gc.disable()
    load()
    gc.freeze()
    gc.enable()
    module, *words = serve(socket.socket(fileno=int(sys.argv[1])))
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)
