"""What a workflow asks of its driver: read, write, and above all fetch; nothing else does input or output.

A workflow is a generator of these steps. Whoever drives it (a client, a test, a mirror) answers them. Fetching is in
two halves, so that requests can travel while documents are verified: `Ask` sends requests, in order, and is answered
at once with a ticket for each; `Answer` waits for one of them. What was asked and is not wanted any more is dropped.
"""

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

import msgspec

from tuffet.errors import TuffetError
from tuffet.names import metadata_file


class Fetch(msgspec.Struct, frozen=True):
    """A metadata file, by role and version (None: the unversioned name), of at most so many bytes.

    Where `optional`, an absent file is answered with None; otherwise its absence is an error.
    """

    role: str
    version: int | None
    at_most: int
    optional: bool = False

    @property
    def name(self) -> str:
        """The name under which a repository serves the file."""
        return metadata_file(self.role, self.version)


class Ask(msgspec.Struct, frozen=True):
    """Send these requests in this order, without waiting; answered with a tuple of tickets."""

    fetches: tuple[Fetch, ...]


class Answer(msgspec.Struct, frozen=True):
    """Wait for what was asked under a ticket; answered with the bytes, or None where an optional file is absent."""

    ticket: int


class Drop(msgspec.Struct, frozen=True):
    """These tickets are not wanted any more."""

    tickets: tuple[int, ...]


class Load(msgspec.Struct, frozen=True):
    """Read what was kept of a role (of one version, for root); answered with bytes or None."""

    role: str
    version: int | None = None


class Keep(msgspec.Struct, frozen=True):
    """Keep these bytes: they are believed now. Older bytes of the role go, but for root, whose chain is kept whole."""

    role: str
    data: bytes
    version: int


class Forget(msgspec.Struct, frozen=True):
    """What was kept of a role must not be believed any more."""

    role: str


Step: TypeAlias = Ask | Answer | Drop | Load | Keep | Forget
R = TypeVar("R")
Steps: TypeAlias = Generator[Step, Any, R]


def answer_all(steps: Steps[R], do: Callable[[Step], object]) -> R:
    """Return what a workflow returns, each of its steps answered by `do`.

    An error of a step is raised inside the workflow first, which may know better; what the workflow raises goes to the caller.
    """
    answer: object = None
    failed: TuffetError | None = None
    try:
        while True:
            step = steps.throw(failed) if failed else steps.send(answer)
            answer, failed = None, None
            try:
                answer = do(step)
            except TuffetError as error:
                failed = error
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        steps.close()


class Limits(msgspec.Struct, frozen=True):
    """What a client bears before it calls it an attack; every one of them is named in the error that it raises."""

    root_bytes: int = 512_000
    timestamp_bytes: int = 65_536
    snapshot_bytes: int = 16_000_000
    """Where the timestamp states no length."""
    targets_bytes: int = 64_000_000
    """Where the snapshot states no length; of every targets role."""
    root_rotations: int = 1024
    """Roots that one update follows."""
    visited_roles: int = 256
    """Targets roles that are asked for one path."""
    listed_roles: int = 70_000
    """Targets roles that are read to list all targets; 16,384 bins fit several times."""
