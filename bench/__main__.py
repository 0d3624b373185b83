"""`python -m bench`: measure, print a table, and fail if a goal is missed."""

import argparse
import functools
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import tuffet
from bench import delegations, documents, encoder, memory, snapshots, start, wire
from bench.harness import Machine, Row, machine, table

Measurement = Callable[[], Iterator[Row]]


def measurements(where: Machine, *, nightly: bool) -> list[tuple[str, Measurement]]:
    """Return what is measured, in order, by metric."""

    def there(measured: Callable[[Machine], Iterator[Row]]) -> Measurement:
        return functools.partial(measured, where)

    usual: list[tuple[str, Measurement]] = [
        ("P1", documents.canonical_100_thousand),
        ("P2", documents.indented_100_thousand),
        ("P3", documents.thousand),
        ("P4", documents.ten),
        ("P5", there(memory.hundred_thousand)),
        ("P6", encoder.encoders),
        ("P8", there(wire.warm_unchanged)),
        ("P9", there(wire.cold)),
        ("P10", there(wire.warm_changed)),
        ("P11", there(start.imports)),
        ("P17", snapshots.client),
        ("P17", snapshots.repository),
        ("P20", there(delegations.cold)),
        ("P20", delegations.warm),
        ("P20", delegations.hostile),
        ("P21", documents.junk_signatures),
    ]
    return usual + ([("P3", documents.million), ("P5", there(memory.million))] if nightly else [])


def main() -> int:
    """Return the exit status: 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure tuffet beside python-tuf and others.")
    parser.add_argument("--only", metavar="P8,P9", help="measure these metrics only")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to this file as well")
    parser.add_argument("--nightly", action="store_true", help="measure roles of a million targets too, which takes minutes and gigabytes")
    parser.add_argument("--tolerance", type=float, default=1.0, help="fail only where a ratio exceeds its goal by more than this factor")
    arguments = parser.parse_args()
    only = set(arguments.only.split(",")) if arguments.only else None

    about = {name: version(name) for name in ("tuf", "securesystemslib", "rfc8785", "msgspec", "cryptography")}
    about |= {"tuffet": tuffet.__version__, "python": platform.python_version(), "cores": str(os.cpu_count())}
    load_before = os.getloadavg()
    rows: list[Row] = []
    begun = time.monotonic()
    with machine() as where:
        chosen = [(metric, measure) for metric, measure in measurements(where, nightly=arguments.nightly) if not only or metric in only]
        if not chosen:
            parser.error(f"there is no metric {arguments.only}")
        for metric, measure in chosen:
            print(f"{metric} …", file=sys.stderr, end="\r", flush=True)
            rows.extend(measure())
    load_after = os.getloadavg()

    print("\n".join(table([row.cells() for row in rows])))
    print(f"\n{', '.join(f'{name} {number}' for name, number in about.items())}; ", end="")
    print(
        f"load {load_before[0]:.1f} before and {load_after[0]:.1f} after {time.monotonic() - begun:.0f} s; minima, so compare ratios only"
    )
    missed = [row for row in rows if row.is_missed(arguments.tolerance)]
    if arguments.json:
        figures = [dict(zip(row._fields, row, strict=True)) | {"missed": row in missed} for row in rows]
        arguments.json.write_text(json.dumps({"about": about, "load": [load_before, load_after], "figures": figures}, indent=1) + "\n")
    return 1 if missed else 0


sys.exit(main())
