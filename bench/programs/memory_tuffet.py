"""`memory_tuffet.py KEYID PUBLIC WARM-UP FILE`: how many bytes tuffet needs at most to believe a targets role."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from tuffet.metadata import TUF_JSON, Targets, make_key
from tuffet.trust.checks import require_fresh
from tuffet.trust.verify import Role, verify

keyid, public, warm_up, offered = sys.argv[1:]
role = Role("targets", (keyid,), 1, {keyid: make_key("ed25519", "ed25519", public)})


def peak() -> int:
    """Return the most bytes that this process has had, as Linux counts them."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def believe(path: str) -> object:
    """Return the verified document."""
    believed = verify(TUF_JSON.parse(Path(path).read_bytes(), Targets), role)
    require_fresh(believed, datetime(2030, 1, 1, tzinfo=UTC))
    return believed


believe(warm_up)
before = peak()
held = believe(offered)
print(peak() - before)
