"""What the tests of foreign libraries' insides share: their source, and its shapes."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aioice import ice
from aiortc import RTCConfiguration, RTCPeerConnection

from imgsync.rtc import ice as our_ice

LOOPBACK = our_ice.IceSettings(("127.0.0.1",), lambda _: None)
STUN_SERVER = ("198.51.100.1", 3478)

Check = Callable[[Any], bool]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def takes(*parameters: str) -> Check:
    return lambda value: list(inspect.signature(value).parameters) == list(parameters)


def awaited(check: Check) -> Check:
    return lambda value: inspect.iscoroutinefunction(value) and check(value)


def equals(expected: object) -> Check:
    return lambda value: bool(type(value) is type(expected) and value == expected)


def our_class(name: str) -> ast.ClassDef:
    tree = parse(Path(our_ice.__file__))
    return next(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name)


def methods_in(tree: ast.Module) -> dict[str, ast.AST]:
    """Methods of all classes of a module; of a name that several have, the last one's."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {name: method for node in classes for name, method in methods_of(node).items()}


def self_attributes(node: ast.AST) -> set[str]:
    return {
        n.attr
        for n in ast.walk(node)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self"
    }


def methods_of(node: ast.ClassDef) -> dict[str, ast.AST]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {n.name: n for n in node.body if isinstance(n, functions)}


def calls_in(node: ast.AST) -> list[str]:
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    calls.sort(key=lambda n: (n.lineno, n.col_offset))
    return [ast.unparse(call.func) for call in calls]


async def make_ice_connection() -> ice.Connection:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.createDataChannel("any")
    assert pc.sctp is not None
    connection = pc.sctp.transport.transport._connection
    await pc.close()
    return connection
