"""Every number, name and time has its bounds, and a refusal names the place (VARIANTS X7, X8, S7)."""

import copy
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.metadata.documents import BINS, SHA256, SHA512, a_file, a_key, compact, document, enveloped
from tuffet.errors import FormatError
from tuffet.metadata import TUF_JSON, Mirrors, Root, Snapshot, Targets, Timestamp, hashes_of, make_hashes
from tuffet.metadata.expiry import encode_time, parse_time
from tuffet.metadata.targets import require_target_path

GONE = object()
Path = tuple[str | int, ...]

DELEGATED: Path = ("delegations", "roles", 0)
PREFIXES: Path = ("delegations", "roles", 1, "path_hash_prefixes")
BIN: Path = ("delegations", "succinct_roles")
HASHES: Path = ("targets", "app.bin", "hashes")
LISTED: Path = ("meta", "a/b.json")


def changed(signed: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    place: Any = signed
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return signed


def parsed(kind: type[Any], path: Path, value: object) -> Any:
    base = copy.deepcopy(BINS) if path[:2] == BIN else document(kind)
    return TUF_JSON.parse(compact(enveloped(changed(base, path, value))), kind).payload


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


REFUSED: list[tuple[str, type[Any], Path, object, str]] = [
    # the sentence, the kind of document, the place, what stands there, the path that the refusal names
    ("a version of zero", Timestamp, ("version",), 0, "signed.version"),
    ("a negative version", Root, ("version",), -1, "signed.version"),
    ("a version past what every JSON library can count (B043, B052)", Snapshot, ("version",), 2**53, "signed.version"),
    ("a version of a hundred digits (B003)", Snapshot, ("version",), 10**100, "signed.version"),
    ("a version that is true", Targets, ("version",), True, "signed.version"),
    ("a version that is a string", Targets, ("version",), "1", "signed.version"),
    ("a version that is a fraction", Targets, ("version",), 1.5, "document"),
    ("a version that is null (B088)", Targets, ("version",), None, "signed.version"),
    ("no version (B114)", Mirrors, ("version",), GONE, "signed"),
    ("a root without expiry (B114)", Root, ("expires",), GONE, "signed"),
    ("an expiry that is a number", Root, ("expires",), 1893456000, "signed.expires"),
    ("an expiry without a time", Root, ("expires",), "2030-01-01", "signed: expires"),
    ("an expiry without a zone", Root, ("expires",), "2030-01-01T00:00:00", "signed: expires"),
    ("an expiry in a month that does not exist", Root, ("expires",), "2030-13-01T00:00:00Z", "signed: expires"),
    ("an expiry on a day that does not exist", Timestamp, ("expires",), "2030-02-30T00:00:00Z", "signed: expires"),
    ("an expiry with ten digits of a fraction", Root, ("expires",), "2030-01-01T00:00:00.0123456789Z", "signed: expires"),
    ("an expiry with an offset without a colon", Root, ("expires",), "2030-01-01T00:00:00+0100", "signed: expires"),
    ("an expiry in digits that are not ASCII", Root, ("expires",), "２030-01-01T00:00:00Z", "signed: expires"),
    ("an expiry with a blank after it", Root, ("expires",), "2030-01-01T00:00:00Z ", "signed: expires"),
    ("an expiry with a line break after it", Root, ("expires",), "2030-01-01T00:00:00Z\n", "signed: expires"),
    ("an expiry before the first year", Root, ("expires",), "0001-01-01T00:00:00+23:00", "signed: expires"),
    ("specification version 2 (TAP 6)", Root, ("spec_version",), "2.0.0", "signed: spec_version"),
    ("a specification version of one part", Root, ("spec_version",), "1", "signed: spec_version"),
    ("a specification version of four parts", Root, ("spec_version",), "1.0.0.0", "signed: spec_version"),
    ("a specification version with a letter", Root, ("spec_version",), "1.0.a", "signed: spec_version"),
    ("a specification version with an empty part", Root, ("spec_version",), "1..0", "signed: spec_version"),
    ("a specification version in superscript", Root, ("spec_version",), "1.²", "signed: spec_version"),
    ("a specification version of ten", Root, ("spec_version",), "10.0", "signed: spec_version"),
    ("a threshold of zero (B084)", Root, ("roles", "root", "threshold"), 0, "signed.roles['root'].threshold"),
    ("a negative threshold (B084)", Targets, (*DELEGATED, "threshold"), -1, "signed.delegations.roles[0].threshold"),
    ("a threshold that is true", Root, ("roles", "root", "threshold"), True, "signed.roles['root'].threshold"),
    ("a threshold beyond all reason (B050)", Root, ("roles", "root", "threshold"), 2**31 + 1, "signed.roles['root'].threshold"),
    ("a keyid that is listed twice", Root, ("roles", "targets", "keyids"), ["k1", "k1"], "signed.roles['targets']"),
    ("an empty keyid", Root, ("roles", "targets", "keyids"), ["k1", ""], "signed.roles['targets'].keyids[1]"),
    ("a keyid of a kilobyte and more", Root, ("roles", "targets", "keyids"), ["k" * 1025], "signed.roles['targets'].keyids[0]"),
    ("a role of 257 keys (B012)", Root, ("roles", "targets", "keyids"), [f"k{n}" for n in range(257)], "signed.roles['targets'].keyids"),
    ("a root without the timestamp role", Root, ("roles", "timestamp"), GONE, "signed: roles: timestamp is missing"),
    ("a role that is null (B088)", Root, ("roles", "mirrors"), None, "signed.roles['mirrors']"),
    ("a key without a value", Root, ("keys", "k1"), {"keytype": "ed25519", "scheme": "ed25519"}, "signed.keys['k1']"),
    ("a key whose value is a string", Root, ("keys", "k1", "keyval"), "00", "signed.keys['k1'].keyval"),
    ("a key that nests deeper than 64 levels", Root, ("keys", "k1", "keyval", "x"), nested(62), "signed.keys['k1']: keyval"),
    ("a key with an integer past 64 bits", Root, ("keys", "a b"), {**a_key(1), "keyval": {"n": 2**64}}, "signed.keys['a b']: keyval"),
    ("an unknown field that nests deeper than 64 levels", Root, ("x",), nested(65), "signed"),
    ("an unknown field with an integer past 64 bits", Root, ("keys", "k1", "x"), -(2**64), "signed.keys['k1']"),
    ("an unknown field with a fraction", Root, ("x",), [1.0], "document"),
    ("a timestamp that names no snapshot", Timestamp, ("meta", "snapshot.json"), GONE, "signed: meta: snapshot.json is missing"),
    ("a snapshot that names no targets", Snapshot, ("meta", "targets.json"), GONE, "signed: meta: targets.json is missing"),
    ("a snapshot whose list is a number", Snapshot, ("meta",), 7, "signed.meta: expected `object`"),
    ("a snapshot whose list is an array", Snapshot, ("meta",), [{"version": 1}], "signed.meta: expected `object`"),
    ("mirrors that are an object", Mirrors, ("mirrors",), {"0": {}}, "signed.mirrors: expected `array`"),
    ("a snapshot that lists null (B088)", Snapshot, ("meta", "a/b.json"), None, "signed.meta['a/b.json']"),
    ("a snapshot that lists an empty name", Snapshot, ("meta", ""), {"version": 1}, "signed.meta: a name in this object"),
    ("a snapshot that lists a long name", Snapshot, ("meta", "x" * 4097), {"version": 1}, "signed.meta: a name in this object"),
    ("listed metadata of version zero", Snapshot, (*LISTED, "version"), 0, "signed.meta['a/b.json'].version"),
    ("listed metadata of negative length", Snapshot, (*LISTED, "length"), -1, "signed.meta['a/b.json'].length"),
    ("listed metadata with empty hashes (B087)", Snapshot, (*LISTED, "hashes"), {}, "signed.meta['a/b.json'].hashes: no alg"),
    ("a file of negative length", Targets, ("targets", "app.bin", "length"), -1, "signed.targets['app.bin'].length"),
    ("a file of endless length", Targets, ("targets", "app.bin", "length"), 2**53, "signed.targets['app.bin'].length"),
    ("a file without a length (B114)", Targets, ("targets", "app.bin", "length"), GONE, "signed.targets['app.bin']"),
    ("a file without hashes (B114)", Targets, HASHES, GONE, "signed.targets['app.bin']"),
    ("a file with empty hashes (B087)", Targets, HASHES, {}, "signed.targets['app.bin'].hashes: no alg"),
    ("a file with hashes that are null", Targets, HASHES, None, "signed.targets['app.bin'].hashes"),
    ("a file hashed by MD5 only", Targets, HASHES, {"md5": "00" * 16}, "signed.targets['app.bin'].hashes: no alg"),
    ("a digest in capitals (B131)", Targets, HASHES, {"sha256": SHA256.upper()}, "signed.targets['app.bin'].hashes.sha256"),
    ("a digest that is no hex (B131)", Targets, HASHES, {"sha512": "g" * 128}, "signed.targets['app.bin'].hashes.sha512"),
    ("a digest that is too short", Targets, HASHES, {"sha256": "ab"}, "signed.targets['app.bin'].hashes.sha256"),
    ("a rarer digest that is too short", Targets, HASHES, {"sha384": "ab"}, "signed.targets['app.bin'].hashes.sha384"),
    ("a good digest and a bad one", Targets, HASHES, {"sha256": SHA256, "sha512": SHA256}, "signed.targets['app.bin'].hashes.sha"),
    ("a bad digest of another file", Targets, ("targets", "z"), {**a_file(1), "hashes": {"sha256": "é" * 64}}, "signed.targets['z']"),
    ("custom that is a list", Targets, ("targets", "app.bin", "custom"), [], "signed.targets['app.bin'].custom"),
    ("custom that nests deeper than 64 levels", Targets, ("targets", "app.bin", "custom", "x"), nested(61), "signed.targets"),
    ("custom with a fraction", Targets, ("targets", "app.bin", "custom", "x"), 0.5, "document"),
    ("an empty target path", Targets, ("targets", ""), a_file(1), "signed.targets: a name in this object"),
    ("a delegation to root", Targets, (*DELEGATED, "name"), "root", "signed.delegations.roles[0]: name: root is a top-level role"),
    ("a delegation to snapshot", Targets, (*DELEGATED, "name"), "snapshot", "signed.delegations.roles[0]: name"),
    ("a delegation to nobody", Targets, (*DELEGATED, "name"), "", "signed.delegations.roles[0].name"),
    ("a delegation to a name of a kilobyte", Targets, (*DELEGATED, "name"), "n" * 1024, "signed.delegations.roles[0].name"),
    ("two delegations to one name", Targets, (*DELEGATED, "name"), "hashed", "signed.delegations: roles: a name is listed twice"),
    ("a delegation by paths and by prefixes", Targets, (*DELEGATED, "path_hash_prefixes"), ["0"], "signed.delegations.roles[0]: paths and"),
    ("a delegation whose pattern is empty", Targets, (*DELEGATED, "paths"), [""], "signed.delegations.roles[0].paths[0]"),
    ("a delegation that says nothing of termination", Targets, (*DELEGATED, "terminating"), GONE, "signed.delegations.roles[0]"),
    ("a delegation whose termination is 1", Targets, (*DELEGATED, "terminating"), 1, "signed.delegations.roles[0].terminating"),
    ("a hash prefix in capitals", Targets, PREFIXES, ["FE"], "signed.delegations.roles[1]: path_hash"),
    ("an empty hash prefix", Targets, PREFIXES, [""], "signed.delegations.roles[1].path_hash_prefixes[0]"),
    ("delegations without roles", Targets, ("delegations", "roles"), GONE, "signed.delegations: expected either roles or succinct_roles"),
    ("delegations without keys", Targets, ("delegations", "keys"), GONE, "signed.delegations"),
    ("delegations both listed and succinct", Targets, ("delegations",), {**BINS["delegations"], "roles": []}, "signed.delegations: exp"),
    ("bins of no bit (B090)", Targets, (*BIN, "bit_length"), 0, "signed.delegations.succinct_roles.bit_length"),
    ("bins of 33 bits (B090)", Targets, (*BIN, "bit_length"), 33, "signed.delegations.succinct_roles.bit_length"),
    ("bins of negative bits (B090)", Targets, (*BIN, "bit_length"), -1, "signed.delegations.succinct_roles.bit_length"),
    ("bins without a name", Targets, (*BIN, "name_prefix"), "", "signed.delegations.succinct_roles.name_prefix"),
    ("a mirror without a URL", Mirrors, ("mirrors", 1, "urlbase"), "", "signed.mirrors[1].urlbase"),
    ("a mirror whose custom nests too deep", Mirrors, ("mirrors", 0, "custom", "x"), nested(61), "signed.mirrors"),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "kind", "path", "value", "where"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_out_of_bounds_is_refused(sentence: str, kind: type[Any], path: Path, value: object, where: str) -> None:
    """Refused before any signature is looked at, with the path inside the document in the message."""
    with pytest.raises(FormatError, match="^" + re.escape(where)) as refused:
        parsed(kind, path, value)
    assert refused.value.attack == "malformed"
    assert str(refused.value) == f"{refused.value.where}: {refused.value.problem}"


ACCEPTED: list[tuple[str, type[Any], Path, object]] = [
    ("the largest version", Root, ("version",), 2**53 - 1),
    ("a specification version of two parts, as in Sigstore's roots (S7)", Root, ("spec_version",), "1.0"),
    ("a later specification of the same major version", Root, ("spec_version",), "1.99.0"),
    ("a root that says nothing of consistent snapshots", Root, ("consistent_snapshot",), GONE),
    ("a role that the specification does not know", Root, ("roles", "x"), {"keyids": [], "threshold": 1}),
    ("a threshold that its keys can never reach", Root, ("roles", "root", "threshold"), 3),
    ("a role of 256 keys", Root, ("roles", "root", "keyids"), [f"k{n}" for n in range(256)]),
    ("a key of a type that nobody knows", Root, ("keys", "k1", "keytype"), "cuneiform"),
    ("a key of 64 levels", Root, ("keys", "k1", "keyval", "x"), nested(60)),
    ("an unknown field of 64 levels and 64 bits", Root, ("x",), [nested(62), 2**64 - 1, -(2**64) + 1]),
    ("a custom of 64 levels", Targets, ("targets", "app.bin", "custom", "x"), nested(60)),
    ("a file of no bytes", Targets, ("targets", "app.bin", "length"), 0),
    ("a file by a rarer hash only", Targets, HASHES, {"blake2b-256": "00" * 32}),
    ("a file by a known hash and by one that does not count", Targets, HASHES, {"sha256": SHA256, "md5": "x"}),
    ("files by different hashes", Targets, HASHES, {"sha512": SHA512}),
    ("a target whose name may never be a file", Targets, ("targets", "../../etc/passwd"), a_file(1)),
    ("a delegation for no path at all", Targets, (*DELEGATED, "paths"), GONE),
    ("an empty list of delegations", Targets, ("delegations", "roles"), []),
    ("bins of 32 bits", Targets, (*BIN, "bit_length"), 32),
    ("metadata of no length in a snapshot", Snapshot, (*LISTED, "length"), 0),
]


@pytest.mark.parametrize(("sentence", "kind", "path", "value"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_what_is_within_bounds_is_read(sentence: str, kind: type[Any], path: Path, value: object) -> None:
    """Tolerances are deliberate, each for a repository that exists or for a field that is not ours to judge."""
    assert isinstance(parsed(kind, path, value), kind)


def test_two_faults_are_told_by_their_own_place() -> None:
    """The culprit among many entries is found, also where another entry has a fault of another kind."""
    doc = document(Targets)
    doc["targets"]["app.bin"]["hashes"] = {"sha256": "g" * 64}
    doc["targets"]["with blank.txt"]["length"] = -1
    with pytest.raises(FormatError, match=r"^signed\.targets\['with blank\.txt'\]\.length: "):
        TUF_JSON.parse(compact(enveloped(doc)), Targets)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2030-01-01T00:00:00Z", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2021-12-18T13:28:12.99008-06:00", datetime(2021, 12, 18, 19, 28, 12, 990080, tzinfo=UTC)),
        ("2030-01-01T00:00:00+05:45", datetime(2029, 12, 31, 18, 15, tzinfo=UTC)),
        ("2030-01-01T00:00:00.1Z", datetime(2030, 1, 1, 0, 0, 0, 100_000, tzinfo=UTC)),
        ("2030-01-01T00:00:00.999999999Z", datetime(2030, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC)),
    ],
)
def test_times_that_real_repositories_write(text: str, instant: datetime) -> None:
    """Offsets and fractions are read (X8); what lies beyond microseconds is cut, so that nothing lives longer."""
    assert parse_time(text) == instant


def test_only_whole_seconds_in_utc_are_written() -> None:
    """`YYYY-MM-DDTHH:MM:SSZ` (4.2.2), cut and never rounded up; an instant without a zone means nothing."""
    assert encode_time(datetime(2030, 1, 1, 1, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))) == "2030-01-01T00:00:00Z"
    with pytest.raises(ValueError, match="time zone"):
        encode_time(datetime(2030, 1, 1))  # noqa: DTZ001  that is the point


def test_early_years_are_written_with_four_digits() -> None:
    """What is written can be read, whatever the system's strftime thinks of early years."""
    early = datetime(987, 6, 5, tzinfo=UTC)
    assert parse_time(encode_time(early)) == early


@pytest.mark.parametrize(
    ("problem", "path"),
    [
        ("empty", ""),
        ("absolute", "/etc/passwd"),
        ("half a character", "a\ud800"),
        ("empty part", "a//b"),
        ("empty part", "a/"),
        ("leads out", ".."),
        ("leads out", "a/../../b"),
        ("leads out", "a/./b"),
        ("control character", "a\0b"),
        ("control character", "a\nb"),
        ("control character", "a\x7fb"),
        ("Windows", "a\\..\\b"),
        ("Windows", "c:/windows"),
        ("Windows", "c:"),
        ("longer than", "x" * 256),
        ("longer than", "é" * 128),
        ("longer than", "/".join(["x" * 200] * 21)),
    ],
)
def test_paths_that_are_never_written(problem: str, path: str) -> None:
    """They may be listed and found, and are refused where a file would be made (B016, B099, B106, B117)."""
    with pytest.raises(FormatError, match=problem):
        require_target_path(path)


@pytest.mark.parametrize("path", ["a", "a/b c/ü.bin", ".hidden", "...", "a..b", "x" * 255, "cc:/x", "a/c:d", "~", "-rf"])
def test_paths_that_are_fine_everywhere(path: str) -> None:
    assert require_target_path(path) == path


def test_every_known_hash_is_checked() -> None:
    """One wrong digest among right ones is a mismatch, whichever it is (B049)."""
    algorithms = ("sha256", "sha512", "sha384", "sha3-256", "sha3_512", "blake2s", "blake2b", "blake2b-256")
    good = hashes_of(b"data", algorithms)
    assert set(good.known()) == set(algorithms)
    assert good.mismatch(b"data") is None
    for wrong in algorithms:
        lie = make_hashes({**good.known(), wrong: hashes_of(b"date", [wrong]).known()[wrong]})
        found = lie.mismatch(b"data")
        assert found is not None
        assert found == (wrong, lie.known()[wrong], good.known()[wrong])


def test_hashes_that_cannot_be_checked_are_no_hashes() -> None:
    """An attacker who names only algorithms that nobody knows gains nothing (B087)."""
    with pytest.raises(FormatError, match=r"^hashes: no algorithm that is known$"):
        make_hashes({"md5": "00" * 16, "sha1": "00" * 20})
    with pytest.raises(FormatError, match=r"^hashes\.sha3-256: expected 64 lower-case hexadecimal digits$"):
        make_hashes({"sha3-256": "00"})
