"""P11: how long a program waits before its client is ready.

What counts is the time beyond bare Python. python-tuf is only imported, which is less than a client: its `Updater` would
already verify and write a root. tuffet is imported and its `Client` is made.
"""

from collections.abc import Iterator

from bench.harness import Compared, Goal, Machine, Row, alternate


def imports(machine: Machine) -> Iterator[Row]:
    """P11: import and make a client, and nothing that a client does not need."""
    cache = machine.directory / "no-cache"
    bare = float("inf")

    def theirs() -> float:
        nonlocal bare
        bare = min(bare, machine.run("-c", "pass")[0])
        return machine.run("-c", "import tuf.ngclient")[0]

    def ours() -> float:
        return machine.run("start_tuffet.py", cache)[0]

    for _ in range(2):
        theirs(), ours()
    slow, quick = alternate(theirs, ours, least_turns=20)
    assert not cache.exists()
    yield Compared("P11", f"import, over the {bare * 1000:.1f} ms of bare Python", slow - bare, quick - bare, Goal(0.45, bonus=0.30))
