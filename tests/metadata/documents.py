"""One good document of each kind as plain JSON, full of what documents may hold, and ways to write them down."""

import copy
import json
from typing import Any

from securesystemslib.formats import encode_canonical

from tuffet.metadata import Mirrors, Root, Snapshot, Targets, Timestamp

DATES: dict[str, Any] = {"expires": "2030-01-01T00:00:00Z", "spec_version": "1.0.34", "version": 3}
SHA256 = "ab" * 32
SHA512 = "cd" * 64


def a_key(number: int) -> dict[str, Any]:
    return {"keytype": "ed25519", "keyval": {"public": f"{number:064x}"}, "scheme": "ed25519"}


def a_file(number: int) -> dict[str, Any]:
    return {"hashes": {"sha256": f"{number:064x}"}, "length": number}


DOCUMENTS: dict[type[Any], dict[str, Any]] = {
    Root: {
        "_type": "root",
        **DATES,
        "consistent_snapshot": True,
        "keys": {"k1": a_key(1), "k2": a_key(2)},
        "roles": {name: {"keyids": ["k1", "k2"], "threshold": 2} for name in ("root", "timestamp", "snapshot", "targets")},
    },
    Timestamp: {
        "_type": "timestamp",
        **DATES,
        "meta": {"snapshot.json": {"hashes": {"sha256": SHA256, "sha512": SHA512}, "length": 700, "version": 5}},
    },
    Snapshot: {
        "_type": "snapshot",
        **DATES,
        "meta": {"targets.json": {"version": 7}, "a/b.json": {"hashes": {"sha512": SHA512}, "version": 1}},
    },
    Targets: {
        "_type": "targets",
        **DATES,
        "targets": {
            "app.bin": {**a_file(1), "custom": {"arch": ["x86"], "deep": {"nothing": None}}},
            "docs/manual.pdf": a_file(2),
            "with blank.txt": {"hashes": {"sha256": SHA256, "sha512": SHA512}, "length": 0},
        },
        "delegations": {
            "keys": {"k1": a_key(1), "k2": a_key(2)},
            "roles": [
                {"name": "a/b", "keyids": ["k1"], "threshold": 1, "terminating": False, "paths": ["docs/*", "x?"]},
                {"name": "hashed", "keyids": ["k1", "k2"], "threshold": 2, "terminating": True, "path_hash_prefixes": ["0", "fe"]},
            ],
        },
    },
    Mirrors: {
        "_type": "mirrors",
        **DATES,
        "mirrors": [
            {"metapath": "metadata", "targetspath": "targets", "urlbase": "https://mirror.example/", "custom": {"country": "ch"}},
            {"metapath": "m", "metacontent": ["*"], "targetspath": "t", "targetscontent": ["a/*"], "urlbase": "https://other.example/"},
        ],
    },
}

BINS: dict[str, Any] = {
    "_type": "targets",
    **DATES,
    "targets": {},
    "delegations": {
        "keys": {"k1": a_key(1)},
        "succinct_roles": {"bit_length": 4, "keyids": ["k1"], "name_prefix": "bin", "threshold": 1},
    },
}


def document(kind: type[Any]) -> dict[str, Any]:
    """Return a fresh copy of the good document of a kind."""
    return copy.deepcopy(DOCUMENTS[kind])


def enveloped(signed: object, *keyids: str) -> dict[str, Any]:
    return {"signatures": [{"keyid": keyid, "sig": "beef"} for keyid in keyids or ("k1",)], "signed": signed}


def compact(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def reference_canonical(value: Any) -> bytes:
    """Return the bytes that the reference implementation signs for a value."""
    text = encode_canonical(value)
    assert text is not None
    return text.encode()
