"""What is to be decided, and whose turn it is: what one socket says is decided in its order."""

from collections import Counter, deque
from collections.abc import Callable, Sequence

import attrs

from imgsync.core.relay.nodes.outputs import NodeOutput
from imgsync.core.relay.nodes.store import Boot, Key
from imgsync.core.relay.outputs import Output
from imgsync.core.relay.rules import FromPeer


@attrs.define(eq=False)
class Task:
    """Something that is to be decided.

    :param needs: the records that it takes, as far as that can be told by those that are known.
    :param decide: decides on the copies.
    :param refuse: what is said where it can't be carried out; None for what has to be, later.
    :param socket: in whose turn it is.
    :param settled: whether it changes none of the records, whatever it says.
    :param due: the deadline that it acts on.
    :param then: what follows, where it is nobody's turn.
    :param replaces: boots that have been dead since before it, of whose sockets it disposes itself.
    :param messages: of the socket, which are decided together.
    """

    needs: Callable[[], set[Key]]
    decide: Callable[[], list[Output]]
    refuse: Callable[[], Sequence[NodeOutput]] | None = None
    socket: int | None = None
    settled: Callable[[], bool] = lambda: False
    due: Key | None = None
    then: Callable[[], list[NodeOutput]] = list
    replaces: frozenset[Boot] = frozenset()
    messages: list[FromPeer] = attrs.field(factory=list)
    #: The records that it takes, as far as is known.
    holds: set[Key] = attrs.field(factory=set)
    #: The versions by which it is under way, where it only says something.
    saying: dict[Key, int] | None = None


class Turns:
    """The tasks of each socket that are not at their end, the first of them begun."""

    def __init__(self) -> None:
        self._tasks: dict[int, deque[Task]] = {}
        self._begun: Counter[int] = Counter()

    def add(self, socket: int, task: Task) -> None:
        """It is to be decided behind all that this socket has said before."""
        self._tasks.setdefault(socket, deque()).append(task)

    def length(self, socket: int) -> int:
        """How many are not at their end."""
        return len(self._tasks[socket]) if socket in self._tasks else 0

    def begin(self, socket: int, goes_first: Callable[[Task], bool]) -> Task | None:
        """The next one whose turn it is, if any; it is begun thereby.

        :param goes_first: whether one that is begun is carried out before what is begun now.
        """
        tasks, begun = self._tasks.get(socket, ()), self._begun[socket]
        if begun == len(tasks) or not all(goes_first(tasks[index]) for index in range(begun)):
            return None
        self._begun[socket] += 1
        return tasks[begun]

    def end(self, socket: int, task: Task) -> None:
        """It is at its end."""
        tasks = self._tasks[socket]
        tasks.remove(task)
        self._begun[socket] -= 1
        if not tasks:
            del self._tasks[socket], self._begun[socket]
