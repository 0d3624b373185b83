"""P5: the most memory that a large role needs from its file to belief, beyond what imports and a small role took."""

from collections.abc import Callable, Iterator

from bench import samples
from bench.harness import Compared, Goal, Machine, Row, alternate


def hundred_thousand(machine: Machine) -> Iterator[Row]:
    """P5: 15 MB of targets."""
    yield _compare(machine, 100_000, least_turns=7)


def million(machine: Machine) -> Iterator[Row]:
    """P5, nightly: 150 MB of targets."""
    yield _compare(machine, 1_000_000, least_turns=3)


def _compare(machine: Machine, count: int, least_turns: int) -> Row:
    key = samples.signer("targets")
    files = []
    for size in (10, count):
        file = machine.directory / f"{size}.targets.json"
        file.write_bytes(samples.sealed(samples.targets(size), key))
        files.append(file)

    def contender(program: str) -> Callable[[], float]:
        return lambda: float(machine.run(program, key.public_key.keyid, key.public_key.keyval["public"], *files)[1])

    theirs, ours = alternate(contender("memory_tuf.py"), contender("memory_tuffet.py"), least_turns)
    return Compared("P5", f"{count:,} targets, peak memory", theirs, ours, Goal(0.36), unit="MB")
