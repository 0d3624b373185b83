"""`lookup_tuffet.py FILE PATH`: the seconds that tuffet's first answer takes, and the roles it names."""

import json
import sys
import time
from pathlib import Path

from tuffet.metadata import TUF_JSON, Targets
from tuffet.metadata.paths import Delegates

delegations = TUF_JSON.parse(Path(sys.argv[1]).read_bytes(), Targets).payload.delegations
assert delegations
start = time.perf_counter()
names = [role.name for role in Delegates(delegations.roles or ()).speaking_for(sys.argv[2])]
print(json.dumps([time.perf_counter() - start, names]))
