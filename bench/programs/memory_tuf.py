"""`memory_tuf.py KEYID PUBLIC WARM-UP FILE`: how many bytes python-tuf needs at most to believe a targets role."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from tuf.api.metadata import Key, Metadata, Root, Targets  # type: ignore[attr-defined]

keyid, public, warm_up, offered = sys.argv[1:]
root = Root()
root.add_key(Key.from_dict(keyid, {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}}), "targets")


def peak() -> int:
    """Return the most bytes that this process has had, as Linux counts them."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def believe(path: str) -> object:
    """Return the verified document."""
    envelope = Metadata[Targets].from_bytes(Path(path).read_bytes())
    root.verify_delegate("targets", envelope.signed_bytes, envelope.signatures)
    assert not envelope.signed.is_expired(datetime(2030, 1, 1, tzinfo=UTC))
    return envelope.signed


believe(warm_up)
before = peak()
held = believe(offered)
print(peak() - before)
