"""`lookup_tuf.py FILE PATH`: the seconds that python-tuf's first answer takes, and the roles it names."""

import json
import sys
import time
from pathlib import Path

from tuf.api.metadata import Metadata, Targets  # type: ignore[attr-defined]

delegations = Metadata[Targets].from_bytes(Path(sys.argv[1]).read_bytes()).signed.delegations
assert delegations
start = time.perf_counter()
names = [name for name, _ in delegations.get_roles_for_target(sys.argv[2])]
print(json.dumps([time.perf_counter() - start, names]))
