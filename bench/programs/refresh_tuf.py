"""`refresh_tuf.py URL CACHE ROOT`: one refresh by python-tuf."""

import sys

from tuf.ngclient import Updater  # type: ignore[attr-defined]

url, cache, embedded = sys.argv[1:]
with open(embedded, "rb") as file:  # noqa: PTH123  # pathlib would cost start-up time.
    updater = Updater(cache, url, bootstrap=file.read())
updater.refresh()
trusted = updater._trusted_set  # noqa: SLF001  # To see that both came to believe the same.
versions = {trusted.timestamp.version, trusted.snapshot.version, trusted.targets.version}
print(f"root {trusted.root.version}, timestamp, snapshot and targets {', '.join(map(str, versions))}")
