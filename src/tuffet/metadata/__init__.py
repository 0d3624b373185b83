"""What the documents say (specification 4): typed, frozen, strict, and not believed until `trust.verify` vouches."""

from tuffet.metadata.envelope import Dialect, Envelope, Signature
from tuffet.metadata.hashes import Hashes, hashes_of, make_hashes
from tuffet.metadata.keys import Key, RoleKeys, key_id, make_key
from tuffet.metadata.roles import MetaFile, Mirror, Mirrors, Root, Snapshot, Timestamp
from tuffet.metadata.schema import Unknown
from tuffet.metadata.targets import DelegatedRole, Delegations, SuccinctRoles, TargetFile, Targets
from tuffet.metadata.tuf_json import TUF_JSON, TufJson

__all__ = [
    "TUF_JSON", "DelegatedRole", "Delegations", "Dialect", "Envelope", "Hashes", "Key", "MetaFile", "Mirror", "Mirrors", "RoleKeys",
    "Root", "Signature", "Snapshot", "SuccinctRoles", "TargetFile", "Targets", "Timestamp", "TufJson", "Unknown", "hashes_of", "key_id",
    "make_hashes", "make_key",
]  # fmt: skip
