"""Answers the client's workflow from a store: what a client would believe if this were what the world sees.

`pending` are files that are not in the store yet, so a publisher can ask before it publishes. `kept` is what was
believed before, by role, and afterwards what is believed now; nothing is written anywhere.
"""

from collections.abc import Mapping
from typing import Final

from tuffet.errors import StorageError, TooLargeError
from tuffet.names import ROOT, metadata_file
from tuffet.storage.store import Store
from tuffet.trust.steps import Answer, Ask, Drop, Fetch, Forget, Keep, Limits, Load, R, Step, Steps, answer_all

METADATA: Final = "metadata/"
"""Where a store keeps metadata."""


class StoreDriver:
    """Runs workflows over one store. Not for several threads at once."""

    def __init__(self, store: Store, kept: Mapping[str, bytes] | None = None, pending: Mapping[str, bytes] | None = None) -> None:
        self.kept = dict(kept or {})
        self._store, self._pending = store, pending or {}
        self._tickets: dict[int, Fetch] = {}
        self._last = 0

    def run(self, steps: Steps[R]) -> R:
        """Return what the workflow returns; errors of a step are raised inside the workflow first."""
        try:
            return answer_all(steps, self._do)
        finally:
            self._tickets.clear()

    def _do(self, step: Step) -> object:
        match step:
            case Ask():
                return tuple(self._ask(fetch) for fetch in step.fetches)
            case Answer():
                return self._answer(self._tickets.pop(step.ticket))
            case Drop():
                for ticket in step.tickets:
                    self._tickets.pop(ticket, None)
            case Load():
                if step.role == ROOT:
                    # The chain is verified again each time. A rotation in it was seen long ago, and what was believed
                    # since then is not forgotten because of it (5.3.11).
                    return self._store.read(METADATA + metadata_file(ROOT, step.version), Limits().root_bytes)
                return self.kept.get(step.role)
            case Keep():
                self.kept[step.role] = step.data
            case Forget():
                self.kept.pop(step.role, None)
        return None

    def _ask(self, fetch: Fetch) -> int:
        self._last += 1
        self._tickets[self._last] = fetch
        return self._last

    def _answer(self, fetch: Fetch) -> bytes | None:
        name = METADATA + fetch.name
        data = self._pending.get(name)
        if data is None:
            data = self._store.read(name, fetch.at_most)
        elif len(data) > fetch.at_most:
            raise TooLargeError(name, at_most=fetch.at_most)
        if data is None and not fetch.optional:
            # Never a reason to begin anew at version 1 (B124).
            raise StorageError(name, "this published file is missing: restore it from a backup or a mirror")
        return data
