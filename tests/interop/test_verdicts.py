"""What one client refuses, the others refuse: attacks on a repository that PyPI's `tuf` wrote, judged by all three.

Every client has read the repository once before it is attacked. A row says what happens and names each client's error,
or says that it was read. Where tuffet is stricter or follows the specification where others do not, the sentence says so.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import DelegatedRole, TargetFile

from tests.interop.pypi_repository import PAST, PypiRepository, new_signer
from tests.interop.readers import Reader, Refused, Site
from tests.interop.serving import Serve
from tuffet.metadata.paths import path_digest

READ: Final = "read"
JS: Final = "Error"
"""tuf-js wraps most of its errors, so that their names say little."""

Repo = PypiRepository


class Row(NamedTuple):
    """An attack, and what becomes of it with each client."""

    sentence: str
    attack: Callable[[Repo], None]
    tuffet: str
    tuf: str
    tufjs: str = JS


# Signatures.


def timestamp_by_a_stranger(repo: Repo) -> None:
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp, [new_signer()])


def timestamp_of_one_where_two_must_sign(repo: Repo) -> None:
    repo.rotate("timestamp", schemes=["ed25519", "ed25519"])
    repo.publish()
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp, repo.signers["timestamp"][:1])


def timestamp_signed_twice_by_one_key(repo: Repo) -> None:
    timestamp_of_one_where_two_must_sign(repo)
    edit_envelope(repo, "timestamp.json", lambda envelope: envelope["signatures"].append(envelope["signatures"][0]))


def timestamp_with_a_signature_too_many(repo: Repo) -> None:
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp, [new_signer(), *repo.signers["timestamp"]])


def timestamp_with_an_empty_signature(repo: Repo) -> None:
    timestamp_with_a_signature_too_many(repo)
    edit_envelope(repo, "timestamp.json", lambda envelope: envelope["signatures"][0].update(sig=""))


def one_key_under_two_ids(repo: Repo) -> None:
    (signer,) = repo.signers["timestamp"]
    twin = CryptoSigner(signer._private_key, renamed(signer.public_key))
    repo.signers["timestamp"] = [signer, twin]
    repo.root.add_key(twin.public_key, "timestamp")
    repo.root.roles["timestamp"].threshold = 2
    repo.publish_root()
    repo.publish()


def keys_under_ids_of_their_owners_choice(repo: Repo) -> None:
    signer = new_signer()
    repo.root.revoke_key(repo.signers["timestamp"][0].public_key.keyid, "timestamp")
    repo.signers["timestamp"] = [CryptoSigner(signer._private_key, renamed(signer.public_key))]
    repo.root.add_key(repo.signers["timestamp"][0].public_key, "timestamp")
    repo.publish_root()
    repo.publish()


def delegated_role_signed_by_its_neighbour(repo: Repo) -> None:
    repo.add("one/file", b"forged", "one")
    repo.signers["one"] = repo.signers["two"]
    repo.publish()


def bytes_changed_after_signing(repo: Repo) -> None:
    repo.publish()
    edit_envelope(repo, "timestamp.json", lambda envelope: envelope["signed"].update(version=99))


# Roots.


def root_not_signed_by_the_old_keys(repo: Repo) -> None:
    repo.signers["root"] = [new_signer()]
    old = next(iter(repo.root.roles["root"].keyids))
    repo.root.revoke_key(old, "root")
    repo.root.add_key(repo.signers["root"][0].public_key, "root")
    repo.publish_root()


def root_not_signed_by_its_own_keys(repo: Repo) -> None:
    root = deepcopy(repo.root)
    root.version += 1
    root.revoke_key(root.roles["root"].keyids[0], "root")
    root.add_key(new_signer().public_key, "root")
    repo.write("root", root)


def root_that_leaves_out_a_version(repo: Repo) -> None:
    root = deepcopy(repo.root)
    root.version += 2
    repo.put("metadata/2.root.json", repo.sign(root, repo.signers["root"]))


def root_that_is_the_old_one(repo: Repo) -> None:
    repo.put("metadata/2.root.json", repo.first_root)


def root_that_names_a_key_twice_for_a_role(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["roles"]["timestamp"]["keyids"] *= 2
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_with_a_threshold_of_zero(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["roles"]["timestamp"]["threshold"] = 0
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_with_a_threshold_of_true(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["roles"]["timestamp"]["threshold"] = True
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_with_a_role_of_mirrors(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["roles"]["mirrors"] = root["roles"]["timestamp"]
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_of_the_second_specification(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2, "spec_version": "2.0.0"}
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def root_with_a_key_of_an_unknown_kind(repo: Repo) -> None:
    root = repo.root.to_dict() | {"version": 2}
    root["keys"]["f" * 64] = {"keytype": "lattice", "scheme": "lattice-9", "keyval": {"public": "00"}}
    root["roles"]["timestamp"]["keyids"].append("f" * 64)
    repo.put("metadata/2.root.json", repo.sign_value(root, repo.signers["root"]))


def expired_root(repo: Repo) -> None:
    repo.root.expires = PAST
    repo.publish_root()


def expired_root_on_the_way_to_a_fresh_one(repo: Repo) -> None:
    fresh = repo.root.expires
    expired_root(repo)
    repo.root.expires = fresh
    repo.publish_root()


# Freshness.


def expired_timestamp(repo: Repo) -> None:
    repo.timestamp.expires = PAST
    repo.publish()


def expired_snapshot(repo: Repo) -> None:
    repo.snapshot.expires = PAST
    repo.publish()


def expired_targets(repo: Repo) -> None:
    repo.change("targets").expires = PAST
    repo.publish()


def expired_delegated_role(repo: Repo) -> None:
    repo.change("one").expires = PAST
    repo.publish()


def expiry_with_a_fraction_and_an_offset(repo: Repo) -> None:
    timestamp = repo.timestamp.to_dict() | {"version": 2, "expires": "2098-12-31T23:59:59.123456-06:00"}
    repo.put("metadata/timestamp.json", repo.sign_value(timestamp, repo.signers["timestamp"]))


# Versions.


def timestamp_replayed(repo: Repo) -> None:
    repo.timestamp.version -= 1
    repo.write("timestamp", repo.timestamp)


def timestamp_of_the_same_version_with_another_snapshot(repo: Repo) -> None:
    repo.timestamp.snapshot_meta = repo.meta(77, b"")
    repo.write("timestamp", repo.timestamp)


def timestamp_that_names_an_older_snapshot(repo: Repo) -> None:
    repo.timestamp.version += 1
    repo.timestamp.snapshot_meta.version -= 1
    repo.write("timestamp", repo.timestamp)


def snapshot_that_lists_an_older_role(repo: Repo) -> None:
    repo.snapshot.meta["two.json"].version -= 1
    repo.publish()


def snapshot_that_lists_a_role_no_more(repo: Repo) -> None:
    del repo.snapshot.meta["two.json"]
    repo.publish()


def snapshot_without_targets(repo: Repo) -> None:
    del repo.snapshot.meta["targets.json"]
    repo.publish()


def snapshot_that_never_listed_a_delegated_role(repo: Repo) -> None:
    repo.delegate("three", paths=["one/*"], terminating=True)
    roles = repo.roles["targets"].delegations
    assert roles
    assert roles.roles
    roles.roles = {"three": roles.roles["three"], **roles.roles}
    repo._changed.pop("three")
    repo.publish()


def snapshot_with_another_version_inside(repo: Repo) -> None:
    repo.publish()
    repo.timestamp.version += 1
    repo.timestamp.snapshot_meta.version += 1
    name = f"metadata/{repo.snapshot.version}.snapshot.json"
    repo.put(f"metadata/{repo.snapshot.version + 1}.snapshot.json", (repo.folder / name).read_bytes())
    repo.write("timestamp", repo.timestamp)


def targets_with_another_version_inside(repo: Repo) -> None:
    name = repo.folder / f"metadata/{repo.roles['targets'].version}.targets.json"
    version = repo.roles["targets"].version + 1
    repo.put(f"metadata/{version}.targets.json", name.read_bytes())
    repo.snapshot.meta["targets.json"].version = version
    repo.publish()


def recovery_from_a_fast_forward(repo: Repo) -> None:
    """What everybody believes of role two is withdrawn, under new keys of the timestamp."""
    repo.rotate("timestamp")
    snapshot_that_lists_an_older_role(repo)


# Mix-and-match.


def snapshot_other_than_the_hash_says(repo: Repo) -> None:
    repo.change("two")
    repo.publish()
    repo.timestamp.snapshot_meta.hashes = {"sha256": "0" * 64}
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp)


def snapshot_shorter_than_said(repo: Repo) -> None:
    repo.change("two")
    repo.publish()
    assert repo.timestamp.snapshot_meta.length
    repo.timestamp.snapshot_meta.length += 1
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp)


def snapshot_longer_than_said(repo: Repo) -> None:
    repo.change("two")
    repo.publish()
    assert repo.timestamp.snapshot_meta.length
    repo.timestamp.snapshot_meta.length -= 1
    repo.timestamp.version += 1
    repo.write("timestamp", repo.timestamp)


def delegated_role_other_than_the_hash_says(repo: Repo) -> None:
    repo.change("one")
    repo.publish()
    version = repo.roles["one"].version
    repo.roles["one"].targets["one/file"].length += 1
    repo.put(f"metadata/{version}.one.json", repo.sign(repo.roles["one"], repo.signers["one"]))


def snapshot_in_place_of_the_timestamp(repo: Repo) -> None:
    repo.put("metadata/timestamp.json", repo.sign(repo.snapshot, repo.signers["timestamp"]))


def snapshot_that_is_not_there(repo: Repo) -> None:
    repo.publish()
    (repo.folder / f"metadata/{repo.snapshot.version}.snapshot.json").unlink()


# Forms.


def text_after_the_document(repo: Repo) -> None:
    repo.publish()
    append(repo, "timestamp.json", b" {}")


def line_end_after_the_document(repo: Repo) -> None:
    repo.publish()
    append(repo, "timestamp.json", b"\r\n")


def name_twice_in_one_object(repo: Repo) -> None:
    repo.publish()
    place = repo.folder / "metadata/timestamp.json"
    place.write_bytes(place.read_bytes().replace(b'"signed":', b'"signed": {}, "signed":', 1))


def document_laid_out_and_escaped_otherwise(repo: Repo) -> None:
    repo.change("one").targets["ü"] = TargetFile.from_data("ü", b"", ["sha256"])
    repo.hashes_in_meta = False
    repo.publish()
    place = repo.folder / f"metadata/{repo.roles['one'].version}.one.json"
    signed = json.loads(place.read_bytes())
    place.write_text(json.dumps(dict(reversed(signed.items())), indent=4, ensure_ascii=True))


def unknown_fields_everywhere(repo: Repo) -> None:
    repo.timestamp.unrecognized_fields["x-more"] = {"deep": [1, {"er": None}]}
    repo.snapshot.meta["one.json"].unrecognized_fields["x-more"] = "ü"
    repo.change("targets").unrecognized_fields["x-more"] = True
    repo.root.unrecognized_fields["x-more"] = 1
    repo.publish_root()
    repo.publish()


def timestamp_that_lists_more_than_the_snapshot(repo: Repo) -> None:
    timestamp = repo.timestamp.to_dict() | {"version": 2}
    timestamp["meta"]["other.json"] = {"version": 1}
    repo.put("metadata/timestamp.json", repo.sign_value(timestamp, repo.signers["timestamp"]))


def target_with_hashes_of_unknown_kinds_only(repo: Repo) -> None:
    repo.change("one").targets["one/file"].hashes = {"sha1024": "00"}
    repo.put("targets/one/00.file", b"one")
    repo.publish()


def target_with_upper_case_hashes(repo: Repo) -> None:
    hashes = repo.change("one").targets["one/file"].hashes
    hashes["sha256"] = hashes["sha256"].upper()
    repo.put(f"targets/one/{hashes['sha256']}.file", b"one")
    repo.publish()


def delegation_to_the_role_of_the_timestamp(repo: Repo) -> None:
    delegate_raw(repo, "timestamp")


def delegation_to_a_role_without_a_name(repo: Repo) -> None:
    delegate_raw(repo, "")


def delegation_by_path_and_by_hash(repo: Repo) -> None:
    delegate_raw(repo, "more", path_hash_prefixes=["00"])


def delegation_to_one_role_twice(repo: Repo) -> None:
    delegate_raw(repo, "two")


# Delegations and targets.


def chain_of_forty_delegations(repo: Repo) -> None:
    for number in range(40):
        repo.delegate(f"link-{number}", f"link-{number - 1}" if number else "targets", paths=["far"])
    repo.add("far", b"far", "link-39")
    repo.publish()


def shorter_hash_prefix_than_the_path_has(repo: Repo) -> None:
    repo.delegate("hashed", path_hash_prefixes=[path_digest("far")])
    repo.add("far", b"far", "hashed")
    repo.publish()


def target_with_other_bytes(repo: Repo) -> None:
    put_target(repo, b"eno")


def target_with_more_bytes(repo: Repo) -> None:
    put_target(repo, b"one and more")


def target_with_fewer_bytes(repo: Repo) -> None:
    put_target(repo, b"on")


def target_that_is_not_there(repo: Repo) -> None:
    for file in (repo.folder / "targets/one").iterdir():
        file.unlink()


FORMAT, THRESHOLD, ROLLBACK, EXPIRED, MISMATCH = "FormatError", "ThresholdError", "RollbackError", "ExpiredError", "MismatchError"
TUF_FORMAT, UNSIGNED, VERSION, TUF_EXPIRED = "DeserializationError", "UnsignedMetadataError", "BadVersionNumberError", "ExpiredMetadataError"
HASH = "LengthOrHashMismatchError"

ROWS = [
    Row("A timestamp signed by a stranger is refused.", timestamp_by_a_stranger, THRESHOLD, UNSIGNED),
    Row("Where two keys must sign, one is not enough.", timestamp_of_one_where_two_must_sign, THRESHOLD, UNSIGNED),
    Row("A keyid that signs twice breaks the format.", timestamp_signed_twice_by_one_key, FORMAT, TUF_FORMAT),
    Row("A stranger's signature beside a good one does no harm.", timestamp_with_a_signature_too_many, READ, READ, READ),
    Row("Neither does an empty signature, which somebody has still to make.", timestamp_with_an_empty_signature, READ, READ, READ),
    Row("Stricter: one key under two ids is one key, so a threshold of two is not met.", one_key_under_two_ids, THRESHOLD, READ, READ),
    Row("A keyid is whatever the delegator calls the key.", keys_under_ids_of_their_owners_choice, READ, READ, READ),
    Row("A delegated role may not be signed by its neighbour's key.", delegated_role_signed_by_its_neighbour, THRESHOLD, UNSIGNED),
    Row("What was changed after it was signed is refused.", bytes_changed_after_signing, THRESHOLD, UNSIGNED),
    Row("A root without the old keys' signatures is refused.", root_not_signed_by_the_old_keys, THRESHOLD, UNSIGNED),
    Row("A root without its own keys' signatures is refused.", root_not_signed_by_its_own_keys, THRESHOLD, UNSIGNED),
    Row("A root that leaves out a version is refused.", root_that_leaves_out_a_version, ROLLBACK, VERSION),
    Row("The old root is no next root.", root_that_is_the_old_one, ROLLBACK, VERSION),
    Row("A root that lists a keyid twice for a role breaks the format.", root_that_names_a_key_twice_for_a_role, FORMAT, TUF_FORMAT),
    Row("A threshold of zero breaks the format.", root_with_a_threshold_of_zero, FORMAT, TUF_FORMAT),
    Row("Stricter: JSON true is not the number one, though Python thinks so.", root_with_a_threshold_of_true, FORMAT, READ),
    Row("Wider: a root may know the role of mirrors, as 4.3 says; tuf refuses it.", root_with_a_role_of_mirrors, READ, TUF_FORMAT, READ),
    Row("A root of the next specification is refused.", root_of_the_second_specification, FORMAT, TUF_FORMAT),
    Row("Wider: a key of an unknown kind may be there, and never counts.", root_with_a_key_of_an_unknown_kind, READ, TUF_FORMAT, READ),
    Row("The newest root may not be expired.", expired_root, EXPIRED, TUF_EXPIRED),
    Row("An expired root may lead to a fresh one.", expired_root_on_the_way_to_a_fresh_one, READ, READ, READ),
    Row("A timestamp may not be expired.", expired_timestamp, EXPIRED, TUF_EXPIRED),
    Row("A snapshot may not be expired.", expired_snapshot, EXPIRED, TUF_EXPIRED),
    Row("Targets may not be expired.", expired_targets, EXPIRED, TUF_EXPIRED),
    Row("A delegated role may not be expired.", expired_delegated_role, EXPIRED, TUF_EXPIRED),
    Row("Wider: an expiry with a fraction and an offset is read (VARIANTS X8).", expiry_with_a_fraction_and_an_offset, READ, TUF_FORMAT, READ),
    Row("An older timestamp is refused.", timestamp_replayed, ROLLBACK, VERSION),
    Row("Of two timestamps of one version the first stays.", timestamp_of_the_same_version_with_another_snapshot, READ, READ, READ),
    Row("A timestamp may not name an older snapshot.", timestamp_that_names_an_older_snapshot, ROLLBACK, VERSION),
    Row("A snapshot may not list an older version of a role.", snapshot_that_lists_an_older_role, ROLLBACK, VERSION),
    Row("A role may not vanish from the snapshot.", snapshot_that_lists_a_role_no_more, ROLLBACK, "RepositoryError"),
    Row("A snapshot lists targets; without, tuffet calls it malformed.", snapshot_without_targets, FORMAT, "RepositoryError"),
    Row("A delegated role that the snapshot lacks is refused.", snapshot_that_never_listed_a_delegated_role, MISMATCH, "RepositoryError"),
    Row("A snapshot has the version that the timestamp names.", snapshot_with_another_version_inside, MISMATCH, VERSION),
    Row("Targets have the version that the snapshot names.", targets_with_another_version_inside, MISMATCH, VERSION),
    Row("As 5.3.11 says: new timestamp keys alone let the snapshot go back.", recovery_from_a_fast_forward, READ, VERSION),
    Row("A snapshot has the hash that the timestamp names.", snapshot_other_than_the_hash_says, MISMATCH, HASH),
    Row("A snapshot is not shorter than the timestamp says.", snapshot_shorter_than_said, MISMATCH, HASH),
    Row("A snapshot is not longer than the timestamp says.", snapshot_longer_than_said, "TooLargeError", "DownloadLengthMismatchError"),
    Row("A delegated role has the hash that the snapshot names.", delegated_role_other_than_the_hash_says, MISMATCH, HASH),
    Row("A snapshot is no timestamp, whoever signed it.", snapshot_in_place_of_the_timestamp, FORMAT, "RepositoryError"),
    Row("A snapshot that is not there cannot be had.", snapshot_that_is_not_there, "AbsentError", "DownloadHTTPError"),
    Row("Nothing follows a document.", text_after_the_document, FORMAT, TUF_FORMAT),
    Row("But for white space.", line_end_after_the_document, READ, READ, READ),
    Row("Stricter: a name that is repeated in an object could mean two things.", name_twice_in_one_object, FORMAT, READ, READ),
    Row("Layout, order and escapes are free.", document_laid_out_and_escaped_otherwise, READ, READ, READ),
    Row("Unknown fields are signed with the rest.", unknown_fields_everywhere, READ, READ, READ),
    Row("Wider: what is signed is what arrived; others sign anew what they understood.", timestamp_that_lists_more_than_the_snapshot, READ, UNSIGNED),
    Row("Earlier: hashes of unknown kinds are refused with the document, not with the file.", target_with_hashes_of_unknown_kinds_only, FORMAT, HASH),
    Row("Earlier: so are hashes in upper case.", target_with_upper_case_hashes, FORMAT, HASH),
    Row("No delegated role is called timestamp.", delegation_to_the_role_of_the_timestamp, FORMAT, TUF_FORMAT),
    Row("No delegated role is without a name; tuf-js does not mind.", delegation_to_a_role_without_a_name, FORMAT, TUF_FORMAT, READ),
    Row("A delegation goes by path or by hash.", delegation_by_path_and_by_hash, FORMAT, TUF_FORMAT),
    Row("A role is not listed twice by one delegator.", delegation_to_one_role_twice, FORMAT, TUF_FORMAT),
    Row("Wider: where others give up after 32 roles and say `not found`, tuffet goes on.", chain_of_forty_delegations, READ, "None", "None"),
    Row("A hash prefix may be the whole hash.", shorter_hash_prefix_than_the_path_has, READ, READ, READ),
    Row("A target with other bytes is refused.", target_with_other_bytes, MISMATCH, HASH),
    Row("A target with more bytes is refused.", target_with_more_bytes, "TooLargeError", "DownloadLengthMismatchError"),
    Row("A target with fewer bytes is refused.", target_with_fewer_bytes, MISMATCH, HASH),
    Row("A target that is not there cannot be had.", target_that_is_not_there, "AbsentError", "DownloadHTTPError"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.attack.__name__)
def test_all_clients_judge_alike(row: Row, reader: Reader, tmp_path: Path, serve: Serve) -> None:
    repo = PypiRepository(tmp_path / "repo")
    repo.delegate("one", paths=["one/*"])
    repo.delegate("two", paths=["two/*"])
    repo.add("one/file", b"one", "one")
    repo.add("two/file", b"two", "two")
    repo.publish()
    repo.change("one")
    repo.change("two")
    repo.publish()
    site = serve(repo)
    assert verdict(reader, site, tmp_path / "cache", "one/file") == READ, "before the attack"

    row.attack(repo)

    verdicts = {"tuffet": row.tuffet, "tuf": row.tuf, "tuf-js": row.tufjs}
    assert verdict(reader, site, tmp_path / "cache", "far" if "far" in repo.payloads else "one/file") == verdicts[reader.name], row.sentence


def test_every_row_begins_with_a_sentence() -> None:
    assert all(row.sentence[0].isupper() and row.sentence.endswith(".") for row in ROWS)


def verdict(reader: Reader, site: Site, cache: Path, path: str) -> str:
    """Return `read`, or `None`, or the name of the error."""
    try:
        answer = reader.read(site, cache, [path])[path]
    except Refused as refused:
        return refused.kind
    return answer.kind if isinstance(answer, Refused) else READ if answer is not None else "None"


def renamed(key: Any) -> SSlibKey:
    """Return the same key under another id."""
    return SSlibKey(f"my-{key.keyid[:6]}", key.keytype, key.scheme, key.keyval)


def edit_envelope(repo: Repo, name: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change a file without signing it anew."""
    place = repo.folder / "metadata" / name
    envelope = json.loads(place.read_bytes())
    edit(envelope)
    place.write_text(json.dumps(envelope))


def append(repo: Repo, name: str, data: bytes) -> None:
    """Append bytes to a file of metadata."""
    with (repo.folder / "metadata" / name).open("ab") as file:
        file.write(data)


def put_target(repo: Repo, data: bytes) -> None:
    """Replace the bytes of `one/file` under all of its names."""
    for file in (repo.folder / "targets/one").iterdir():
        file.write_bytes(data)


def delegate_raw(repo: Repo, name: str, **more: Any) -> None:
    """Publish targets with one more delegation, which tuf itself would not write."""
    repo.publish()
    targets = repo.roles["targets"].to_dict()
    like: DelegatedRole = repo.roles["targets"].get_delegated_role("two")
    targets["delegations"]["roles"].append(like.to_dict() | {"name": name} | more)
    targets["version"] += 1
    data = repo.put(f"metadata/{targets['version']}.targets.json", repo.sign_value(targets, repo.signers["targets"]))
    repo.snapshot.meta["targets.json"] = repo.meta(targets["version"], data)
    repo.publish()
