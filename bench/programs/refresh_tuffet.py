"""`refresh_tuffet.py URL CACHE ROOT`: one refresh by tuffet."""

import sys

import tuffet

url, cache, embedded = sys.argv[1:]
with open(embedded, "rb") as file:  # noqa: PTH123  # pathlib would cost start-up time.
    client = tuffet.Client(url, cache_dir=cache, root=file.read())
trusted = client.refresh()
versions = {trusted.timestamp.payload.version, trusted.snapshot.payload.version, trusted.targets.payload.version}
print(f"root {trusted.root.payload.version}, timestamp, snapshot and targets {', '.join(map(str, versions))}")
