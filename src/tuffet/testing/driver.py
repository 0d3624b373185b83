"""Runs the workflow's steps in memory, and writes down what happened in which order.

It keeps what the workflow keeps, and nothing else; it can be killed before any step, as machines are.
"""

from tuffet.errors import AbsentError
from tuffet.names import ROOT, metadata_file
from tuffet.transport import Answer as Body
from tuffet.transport import Transport, receive
from tuffet.trust.steps import Answer, Ask, Drop, Fetch, Forget, Keep, Load, R, Step, Steps, answer_all


class Killed(BaseException):
    """The machine stopped before the step that it was told to die before; no error, so that nothing catches it."""


class MemoryDriver:
    """Answers steps with a transport and a dictionary.

    `kept` holds what was believed, by file name: `2.root.json`, `timestamp.json`. `log` tells every step in the order
    in which it was done: `ask 2.root.json`, `answer 2.root.json`, `drop 3.root.json`, `load timestamp.json`,
    `keep 2.root.json`, `forget timestamp.json`. A driver that has `dies_before` set to such a line raises `Killed` there.
    """

    def __init__(self, transport: Transport, metadata_url: str, kept: dict[str, bytes] | None = None) -> None:
        self.kept = dict(kept or {})
        self.log: list[str] = []
        self.dies_before: str | None = None
        self._transport, self._url = transport, metadata_url
        self._pending: dict[int, tuple[Fetch, Body]] = {}
        self._last = 0

    @property
    def requests(self) -> list[str]:
        """The names of the files asked for, in order."""
        return [line.removeprefix("ask ") for line in self.log if line.startswith("ask ")]

    def run(self, steps: Steps[R]) -> R:
        """Return what the workflow returns; errors of a step are raised inside the workflow first, as with any driver."""
        try:
            return answer_all(steps, self._do)
        finally:
            self._pending.clear()

    def _do(self, step: Step) -> object:
        match step:
            case Ask():
                return tuple(self._ask(fetch) for fetch in step.fetches)
            case Answer():
                return self._answer(*self._pending.pop(step.ticket))
            case Drop():
                for ticket in step.tickets:
                    self._note("drop", self._pending.pop(ticket)[0].name)
            case Load():
                return self.kept.get(self._note("load", metadata_file(step.role, step.version)))
            case Keep():
                version = step.version if step.role == ROOT else None
                self.kept[self._note("keep", metadata_file(step.role, version))] = step.data
            case Forget():
                self.kept.pop(self._note("forget", metadata_file(step.role)), None)
        return None

    def _ask(self, fetch: Fetch) -> int:
        self._last += 1
        self._pending[self._last] = fetch, self._transport.ask(self._url + self._note("ask", fetch.name))
        return self._last

    def _answer(self, fetch: Fetch, body: Body) -> bytes | None:
        name = self._note("answer", fetch.name)
        try:
            return b"".join(receive(body, self._url + name, at_most=fetch.at_most))
        except AbsentError:
            if fetch.optional:
                return None
            raise

    def _note(self, verb: str, name: str) -> str:
        line = f"{verb} {name}"
        if line == self.dies_before:
            raise Killed(line)
        self.log.append(line)
        return name


def drive(steps: Steps[R], transport: Transport, metadata_url: str, kept: dict[str, bytes] | None = None) -> R:
    """Return what a workflow returns, driven in memory; `kept` is what was believed before."""
    return MemoryDriver(transport, metadata_url, kept).run(steps)
