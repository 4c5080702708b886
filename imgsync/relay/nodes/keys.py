"""The names under which all of it stands in Redis.

    {PREFIX}:all                  hash: epoch, run, version, standings
    {PREFIX}:hints                channel, on which it is told where clients stand
    {PREFIX}:EPOCH:boots          sorted set: boots that have not left, by when their leases end
    {PREFIX}:EPOCH:versions       hash of records: their versions
    {PREFIX}:EPOCH:records        hash of records: their texts
    {PREFIX}:EPOCH:deadlines      sorted set of names: when they pass
    {PREFIX}:EPOCH:standings      hash of clients: the version, and where they stand
    {PREFIX}:EPOCH:inbox:BOOT     stream: what a boot is told
    {PREFIX}:EPOCH:held:BOOT      set of records in which a boot has sockets

What stands in braces decides on which server of a cluster a key is (the hash tag of
https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags), so that all
are on one.
"""

import re

from imgsync.core.protocol.errors import InputError
from imgsync.core.relay.nodes.store import Boot

_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


class Keys:
    """Of one epoch."""

    def __init__(self, prefix: str, epoch: str = "") -> None:
        of_all = f"{{{prefix}}}"
        self._start = f"{of_all}:{epoch}"
        self.every = f"{of_all}:all"
        self.hints = f"{of_all}:hints"
        self.boots = f"{self._start}:boots"
        self.versions = f"{self._start}:versions"
        self.records = f"{self._start}:records"
        self.deadlines = f"{self._start}:deadlines"
        self.standings = f"{self._start}:standings"

    def inbox(self, boot: Boot) -> str:
        return f"{self._start}:inbox:{boot}"

    def held(self, boot: Boot) -> str:
        return f"{self._start}:held:{boot}"


def check_prefix(prefix: str) -> None:
    """Raises InputError."""
    if _PREFIX.fullmatch(prefix) is None:
        raise InputError(
            f"{prefix[:100]!r} can't stand before the keys in Redis; use up to 100 letters, digits,"
            " and any of _ . : -"
        )
