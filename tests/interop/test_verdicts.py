"""What one client refuses, the others refuse: attacks on a repository that PyPI's `tuf` wrote, judged by all three.

Every client has read the repository once before it is attacked. A row says what happens and names each client's error,
or says that it was read. Where tuffet is stricter or follows the specification where others do not, the sentence says so.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.interop import document_attacks as doc
from tests.interop import signature_attacks as sig
from tests.interop.pypi_repository import PypiRepository
from tests.interop.readers import Reader, Refused, Site
from tests.interop.serving import Serve

READ: Final = "read"
JS: Final = "Error"
"""tuf-js wraps most of its errors, so that their names say little."""


class Row(NamedTuple):
    """An attack, and what becomes of it with each client."""

    sentence: str
    attack: Callable[[PypiRepository], None]
    tuffet: str
    tuf: str
    tufjs: str = JS


FORMAT, THRESHOLD, ROLLBACK, EXPIRED, MISMATCH = "FormatError", "ThresholdError", "RollbackError", "ExpiredError", "MismatchError"
TUF_FORMAT, UNSIGNED, VERSION = "DeserializationError", "UnsignedMetadataError", "BadVersionNumberError"
TUF_EXPIRED, HASH = "ExpiredMetadataError", "LengthOrHashMismatchError"

ROWS = [
    Row("A timestamp signed by a stranger is refused.", sig.timestamp_by_a_stranger, THRESHOLD, UNSIGNED),
    Row("Where two keys must sign, one is not enough.", sig.timestamp_of_one_where_two_must_sign, THRESHOLD, UNSIGNED),
    Row("A keyid that signs twice breaks the format.", sig.timestamp_signed_twice_by_one_key, FORMAT, TUF_FORMAT),
    Row("A stranger's signature beside a good one does no harm.", sig.timestamp_with_a_signature_too_many, READ, READ, READ),
    Row("Neither does an empty signature, which somebody has still to make.", sig.timestamp_with_an_empty_signature, READ, READ, READ),
    Row("Stricter: one key under two ids is one key, so a threshold of two is not met.", sig.one_key_under_two_ids, THRESHOLD, READ, READ),
    Row("A keyid is whatever the delegator calls the key.", sig.keys_under_ids_of_their_owners_choice, READ, READ, READ),
    Row("A delegated role may not be signed by its neighbour's key.", sig.delegated_role_signed_by_its_neighbour, THRESHOLD, UNSIGNED),
    Row("What was changed after it was signed is refused.", sig.bytes_changed_after_signing, THRESHOLD, UNSIGNED),
    Row("A root without the old keys' signatures is refused.", sig.root_not_signed_by_the_old_keys, THRESHOLD, UNSIGNED),
    Row("A root without its own keys' signatures is refused.", sig.root_not_signed_by_its_own_keys, THRESHOLD, UNSIGNED),
    Row("A root that leaves out a version is refused.", sig.root_that_leaves_out_a_version, ROLLBACK, VERSION),
    Row("The old root is no next root.", sig.root_that_is_the_old_one, ROLLBACK, VERSION),
    Row("A root that lists a keyid twice for a role breaks the format.", sig.root_that_names_a_key_twice_for_a_role, FORMAT, TUF_FORMAT),
    Row("A threshold of zero breaks the format.", sig.root_with_a_threshold_of_zero, FORMAT, TUF_FORMAT),
    Row("Stricter: JSON true is not the number one, though Python thinks so.", sig.root_with_a_threshold_of_true, FORMAT, READ),
    Row("Wider: a root may know the role of mirrors, as 4.3 says.", sig.root_with_a_role_of_mirrors, READ, TUF_FORMAT, READ),
    Row("A root of the next specification is refused.", sig.root_of_the_second_specification, FORMAT, TUF_FORMAT),
    Row("Wider: a key of an unknown kind may be there, and never counts.", sig.root_with_a_key_of_an_unknown_kind, READ, TUF_FORMAT, READ),
    Row("The newest root may not be expired.", sig.expired_root, EXPIRED, TUF_EXPIRED),
    Row("An expired root may lead to a fresh one.", sig.expired_root_on_the_way_to_a_fresh_one, READ, READ, READ),
    Row("A timestamp may not be expired.", doc.expired_timestamp, EXPIRED, TUF_EXPIRED),
    Row("A snapshot may not be expired.", doc.expired_snapshot, EXPIRED, TUF_EXPIRED),
    Row("Targets may not be expired.", doc.expired_targets, EXPIRED, TUF_EXPIRED),
    Row("A delegated role may not be expired.", doc.expired_delegated_role, EXPIRED, TUF_EXPIRED),
    Row("Wider: an expiry may have a fraction and an offset.", doc.expiry_with_a_fraction_and_an_offset, READ, TUF_FORMAT, READ),
    Row("An older timestamp is refused.", doc.timestamp_replayed, ROLLBACK, VERSION),
    Row("Of two timestamps of one version the first stays.", doc.timestamp_of_the_same_version_with_another_snapshot, READ, READ, READ),
    Row("A timestamp may not name an older snapshot.", doc.timestamp_that_names_an_older_snapshot, ROLLBACK, VERSION),
    Row("A snapshot may not list an older version of a role.", doc.snapshot_that_lists_an_older_role, ROLLBACK, VERSION),
    Row("A role may not vanish from the snapshot.", doc.snapshot_that_lists_a_role_no_more, ROLLBACK, "RepositoryError"),
    Row("A snapshot lists targets; without, tuffet calls it malformed.", doc.snapshot_without_targets, FORMAT, "RepositoryError"),
    Row("A delegated role must be in the snapshot.", doc.snapshot_that_never_listed_a_delegated_role, MISMATCH, "RepositoryError"),
    Row("A snapshot has the version that the timestamp names.", doc.snapshot_with_another_version_inside, MISMATCH, VERSION),
    Row("Targets have the version that the snapshot names.", doc.targets_with_another_version_inside, MISMATCH, VERSION),
    Row("As 5.3.11 says: new timestamp keys alone let the snapshot go back.", doc.recovery_from_a_fast_forward, READ, VERSION),
    Row("A snapshot has the hash that the timestamp names.", doc.snapshot_other_than_the_hash_says, MISMATCH, HASH),
    Row("A snapshot is not shorter than the timestamp says.", doc.snapshot_shorter_than_said, MISMATCH, HASH),
    Row("A snapshot is not longer than the timestamp says.", doc.snapshot_longer_than_said, "TooLargeError", "DownloadLengthMismatchError"),
    Row("A delegated role has the hash that the snapshot names.", doc.delegated_role_other_than_the_hash_says, MISMATCH, HASH),
    Row("A snapshot is no timestamp, whoever signed it.", doc.snapshot_in_place_of_the_timestamp, FORMAT, "RepositoryError"),
    Row("A snapshot that is not there cannot be had.", doc.snapshot_that_is_not_there, "AbsentError", "DownloadHTTPError"),
    Row("Nothing follows a document.", doc.text_after_the_document, FORMAT, TUF_FORMAT),
    Row("But for white space.", doc.line_end_after_the_document, READ, READ, READ),
    Row("Stricter: a name that is repeated in an object could mean two things.", doc.name_twice_in_one_object, FORMAT, READ, READ),
    Row("Layout, order and escapes are free.", doc.document_laid_out_and_escaped_otherwise, READ, READ, READ),
    Row("Unknown fields are signed with the rest.", doc.unknown_fields_everywhere, READ, READ, READ),
    Row("Wider: signed is what arrived, not what was understood.", doc.timestamp_that_lists_more_than_the_snapshot, READ, UNSIGNED),
    Row("Earlier: hashes of unknown kinds are refused with the role.", doc.target_with_hashes_of_unknown_kinds_only, FORMAT, HASH),
    Row("Earlier: so are hashes in upper case.", doc.target_with_upper_case_hashes, FORMAT, HASH),
    Row("No delegated role is called timestamp.", doc.delegation_to_the_role_of_the_timestamp, FORMAT, TUF_FORMAT),
    Row("No delegated role is without a name; tuf-js does not mind.", doc.delegation_to_a_role_without_a_name, FORMAT, TUF_FORMAT, READ),
    Row("A delegation goes by path or by hash.", doc.delegation_by_path_and_by_hash, FORMAT, TUF_FORMAT),
    Row("A role is not listed twice by one delegator.", doc.delegation_to_one_role_twice, FORMAT, TUF_FORMAT),
    Row("Wider: after 32 roles others say `not found`.", doc.chain_of_forty_delegations, READ, "None", "None"),
    Row("A hash prefix may be the whole hash.", doc.shorter_hash_prefix_than_the_path_has, READ, READ, READ),
    Row("A target with other bytes is refused.", doc.target_with_other_bytes, MISMATCH, HASH),
    Row("A target with more bytes is refused.", doc.target_with_more_bytes, "TooLargeError", "DownloadLengthMismatchError"),
    Row("A target with fewer bytes is refused.", doc.target_with_fewer_bytes, MISMATCH, HASH),
    Row("A target that is not there cannot be had.", doc.target_that_is_not_there, "AbsentError", "DownloadHTTPError"),
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
