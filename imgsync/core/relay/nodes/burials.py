"""Boots that are dead while their sockets still stand in records, and who waits until none does."""

from collections.abc import Collection

from imgsync.core.relay.nodes.outputs import NodeOutput, Sweep
from imgsync.core.relay.nodes.store import Boot
from imgsync.core.relay.nodes.turns import Task


class Burials:
    """See the module."""

    def __init__(self) -> None:
        self._mourners: dict[Boot, list[Task]] = {}

    @property
    def dead(self) -> Collection[Boot]:
        """Those that are known to be."""
        return self._mourners.keys()

    def bury(self, boot: Boot) -> list[NodeOutput]:
        """A boot is dead: have its sockets taken out of all records."""
        if boot in self._mourners:
            return []
        self._mourners[boot] = []
        return [Sweep(boot)]

    def mourn(self, boot: Boot, task: Task) -> list[NodeOutput]:
        """The same; one waits for that."""
        outputs = self.bury(boot)
        self._mourners[boot].append(task)
        return outputs

    def end(self, boot: Boot) -> list[Task]:
        """Nothing is left of it. Returns who has waited."""
        return self._mourners.pop(boot, [])

    def give_up(self) -> list[Task]:
        """Nobody can tell how long it will take. Returns those that need not wait."""
        refusable = [t for mourners in self._mourners.values() for t in mourners if t.refuse]
        for boot, mourners in self._mourners.items():
            self._mourners[boot] = [task for task in mourners if task.refuse is None]
        return refusable

    def begin_again(self) -> list[NodeOutput]:
        """Whether anything is still under way for them is unknown."""
        return [*map(Sweep, self._mourners)]
