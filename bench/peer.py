"""The names that are used of python-tuf and securesystemslib, which re-export them without saying so to type checkers."""

from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]
from tuf.api.metadata import (  # type: ignore[attr-defined]
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

__all__ = [
    "CryptoSigner", "DelegatedRole", "Delegations", "Key", "MetaFile", "Metadata", "Root", "Snapshot", "TargetFile", "Targets",
    "Timestamp",
]  # fmt: skip
