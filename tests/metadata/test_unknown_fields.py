"""Fields that nobody here knows are carried through every edit, at every level (VARIANTS X6, specification 4.2)."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.metadata.documents import BINS, DOCUMENTS, compact, document, enveloped, reference_canonical
from tuffet.errors import FormatError
from tuffet.metadata import TUF_JSON, Key, Root, Targets, make_key
from tuffet.metadata.schema import Document, build, write

EXTRA = {"x-added": {"z": [None, True, "\n"], "a": -1}, "x-tuf-on-ci-keyowner": "@someone"}


def objects_in(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, dict) else []) + [found for item in inner for found in objects_in(item)]


def with_extras(signed: dict[str, Any]) -> dict[str, Any]:
    """Return the document with unknown fields in every object, maps excepted: what is in a map is an entry."""
    maps = [signed.get(name) for name in ("keys", "roles", "meta", "targets")] + [signed.get("delegations", {}).get("keys")]
    free = [file.get("custom") for file in signed.get("targets", {}).values()]
    for place in objects_in(signed):
        if not any(place is each for each in maps + free):
            place.update(EXTRA)
    return signed


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_an_edit_changes_what_it_names_and_nothing_else(kind: type[Any]) -> None:
    """A new version of a document that was full of them is that document with another version (4.2.1)."""
    signed = with_extras(document(kind))
    payload = TUF_JSON.parse(compact(enveloped(signed)), kind).payload
    edited = replace(payload, version=4)
    assert TUF_JSON.signed_bytes(payload) == reference_canonical(signed)
    assert TUF_JSON.signed_bytes(edited) == reference_canonical({**signed, "version": 4})
    assert json.loads(TUF_JSON.seal(edited, []))["signed"] == {**signed, "version": 4}
    assert payload.version == 3


def test_an_edit_deep_inside_keeps_what_is_beside_it() -> None:
    """A threshold changes; the role's, the delegation's and the key's own fields stay."""
    signed = with_extras(document(Targets))
    payload = TUF_JSON.parse(compact(enveloped(signed)), Targets).payload
    assert payload.delegations
    assert payload.delegations.roles
    first, second = payload.delegations.roles
    edited = replace(payload, delegations=replace(payload.delegations, roles=(first, replace(second, threshold=1))))
    signed["delegations"]["roles"][1]["threshold"] = 1
    assert TUF_JSON.signed_bytes(edited) == reference_canonical(signed)


def test_bins_carry_them_too() -> None:
    signed = with_extras(json.loads(json.dumps(BINS)))
    payload = TUF_JSON.parse(compact(enveloped(signed)), Targets).payload
    assert TUF_JSON.signed_bytes(payload) == reference_canonical(signed)


def test_rarer_hashes_are_carried_beside_the_usual_ones() -> None:
    """Only an object of one file's hashes is looked into; MD5 stays listed and never counts."""
    signed = document(Targets)
    signed["targets"]["app.bin"]["hashes"] |= {"blake2b-256": "11" * 32, "md5": "whatever", "gitoid": {"a": 1}}
    payload = TUF_JSON.parse(compact(enveloped(signed)), Targets).payload
    assert TUF_JSON.signed_bytes(payload) == reference_canonical(signed)
    assert set(payload.targets["app.bin"].hashes.known()) == {"sha256", "blake2b-256"}


class Book(Document, frozen=True):
    title: str


class Library(Document, frozen=True, tag_field="_type", tag="library"):
    shelves: dict[str, tuple[Book, ...]]


def test_a_dialect_may_bring_documents_of_other_shapes() -> None:
    """Maps of lists of objects, which TUF itself does not have: unknown fields are set aside there as well."""
    value = {"_type": "library", "shelves": {"a": [{"title": "x", "x-lent": True}, {"title": "y"}], "b": []}, "x": 1}
    library = build(value, Library, "library")
    assert [book.unknown or None for book in library.shelves["a"]] == [{"x-lent": True}, None]
    assert json.loads(write(library)) == value
    with pytest.raises(FormatError, match=r"^library\.shelves\['a'\]\[1\]\.title: expected `str`"):
        build({"_type": "library", "shelves": {"b": [], "a": [{"title": "x"}, {"title": 1}]}}, Library, "library")


def test_a_key_may_be_made_with_them() -> None:
    key = make_key("ed25519", "ed25519", "00" * 32, {"x-owner": "@someone"})
    root = TUF_JSON.parse(compact(enveloped(document(Root))), Root).payload
    written = json.loads(TUF_JSON.seal(replace(root, keys={"k1": key}), []))["signed"]["keys"]["k1"]
    assert written == {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "00" * 32}, "x-owner": "@someone"}
    assert make_key("ed25519", "ed25519", "00" * 32) == Key(keytype="ed25519", scheme="ed25519", keyval={"public": "00" * 32})
