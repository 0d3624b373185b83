"""What every store and every signer promises, as tests that an implementation inherits.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self) -> Store:
            return MyStore()

A subclass provides the fixture `store` (empty, and new for each test) or `signer`; pytest does the rest.
"""

# These are tests, and assert is how a test speaks.

import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final, TypeVar

from tuffet.errors import ConflictError, StorageError, TuffetError, UsageError
from tuffet.keys.signer import Signer
from tuffet.metadata.canonical import encode_canonical
from tuffet.storage.store import Store

T = TypeVar("T")

ODD_NAMES: Final = (
    "a",
    "metadata/1.root.json",
    "with%20percent",
    "with space",
    "ünï/çödé/日本",
    "#?&",
    "..hidden",
    ".hidden/...",
    ":@!$'()*+,;=~",
    "-rf",
    "x" * 255,
    "/".join(["deep"] * 40),
)
BAD_NAMES: Final = (
    "",
    "/",
    "/absolute",
    "a//b",
    "a/",
    ".",
    "..",
    "a/../b",
    "a/./b",
    "nul\0",
    "line\nbreak",
    "delete\x7f",
    "back\\slash",
    "x" * 256,
    "ü" * 128,
    "/".join(["deep"] * 300),
    "lone\ud800",
    ".tuffet-lock",
    "a/.Tuffet-tmp-1/b",
)


class StoreContract:
    """Inherited by the tests of a `Store`."""

    def test_what_was_created_is_read(self, store: Store) -> None:
        """Bytes come back as they went in, and no bytes are bytes too."""
        store.create("full", b"\x00\xff\r\n")
        store.create("empty", b"")
        assert (store.read("full"), store.read("empty"), store.read("absent")) == (b"\x00\xff\r\n", b"", None)

    def test_odd_names_are_names_like_others(self, store: Store) -> None:
        """A name is kept as it is: nothing decodes, normalises or hides it."""
        for name in ODD_NAMES:
            store.create(name, name.encode())
        assert [store.read(name) for name in ODD_NAMES] == [name.encode() for name in ODD_NAMES]
        assert list(store.list()) == sorted(ODD_NAMES)

    def test_names_that_lead_elsewhere_are_refused(self, store: Store) -> None:
        """Every method refuses them, and nothing is written (B106)."""
        uses: list[Callable[[str], object]] = [
            store.read,
            store.open,
            store.delete,
            lambda name: store.create(name, b""),
            lambda name: store.create_many([(name, b"")]),
            lambda name: store.replace(name, b"", expected=None),
            lambda name: store.replace(name, b"", expected=b""),
        ]
        for name in BAD_NAMES:
            for use in uses:
                with _refused(UsageError):
                    use(name)
        for prefix in ("/", "../", "a/../", "a//"):
            with _refused(UsageError):
                store.list(prefix)
        assert list(store.list()) == []

    def test_a_bound_is_kept(self, store: Store) -> None:
        """Exactly the bound is read, one byte more is refused."""
        store.create("file", b"12345")
        assert store.read("file", at_most=5) == b"12345"
        for bound in (4, 0):
            with _refused(StorageError):
                store.read("file", at_most=bound)
        assert store.read("absent", at_most=0) is None

    def test_a_name_is_created_once(self, store: Store) -> None:
        """The same bytes again are a success, others a conflict, and the first ones stay."""
        store.create("name", b"first")
        store.create("name", b"first")
        for other in (b"second", b"firs", b"first!", b""):
            with _refused(ConflictError):
                store.create("name", other)
            with _refused(ConflictError):
                store.create("name", io.BytesIO(other))
        assert store.read("name") == b"first"

    def test_a_stream_is_created_and_opened(self, store: Store) -> None:
        """A stream may be large and may come in short pieces."""
        data = hashlib.shake_256(b"stream").digest(1_000_003)
        for _ in range(2):
            store.create("large", _Trickle(data))
        file = store.open("large")
        assert file is not None
        with file:
            assert file.read(10) == data[:10]
            assert file.read() == data[10:]
        assert store.open("absent") is None

    def test_many_are_created_like_one(self, store: Store) -> None:
        """Those that exist with the same bytes are passed over; one with others is a conflict."""
        items = [(f"many/{number % 7}/{number}", b"%d" % number) for number in range(40)]
        store.create(*items[3])
        store.create_many(iter(items))
        store.create_many(items + items)
        store.create_many([])
        assert {name: store.read(name) for name in store.list()} == dict(items)
        with _refused(ConflictError):
            store.create_many([("many/new", b""), (items[0][0], b"other")])
        assert store.read(items[0][0]) == items[0][1]

    def test_only_what_is_expected_is_replaced(self, store: Store) -> None:
        """Compare-and-set by content; None means that the name must be absent."""
        for wrong in (b"", b"1"):
            with _refused(ConflictError):
                store.replace("timestamp.json", b"1", expected=wrong)
        assert store.read("timestamp.json") is None
        store.replace("timestamp.json", b"1", expected=None)
        for wrong_or_absent in (None, b"", b"0", b"12"):
            with _refused(ConflictError):
                store.replace("timestamp.json", b"2", expected=wrong_or_absent)
        assert store.read("timestamp.json") == b"1"
        store.replace("timestamp.json", b"2", expected=b"1")
        store.replace("timestamp.json", b"", expected=b"2")
        assert store.read("timestamp.json") == b""

    def test_names_are_listed_in_order(self, store: Store) -> None:
        """Sorted as strings, by any prefix, whatever the store makes of the slashes."""
        names = ["a", "a-b/c", "a.b", "a0", "ab/c", "ab/d/e", "ab-", "b", "ab0/x"]
        for name in names:
            store.create(name, b"")
        assert list(store.list()) == sorted(names)
        for prefix in ("a", "ab", "ab/", "ab/d", "ab/d/e", "ab/d/e/", "b", "c", "a-", "..", "."):
            assert list(store.list(prefix)) == sorted(name for name in names if name.startswith(prefix)), prefix

    def test_deleted_is_absent(self, store: Store) -> None:
        """Deleting twice is fine, and the name may be created anew."""
        store.delete("name")
        store.create("folder/name", b"old")
        for _ in range(2):
            store.delete("folder/name")
        assert (store.read("folder/name"), list(store.list())) == (None, [])
        store.create("folder/name", b"new")
        assert store.read("folder/name") == b"new"

    def test_one_of_many_creators_wins(self, store: Store) -> None:
        """Thirty-two race for a name with bytes of their own: one gets it, the others are told."""

        def create(number: int) -> bool:
            return not _conflicts(lambda: store.create("race/name", b"%d" % number))

        won = _together(create, 32)
        assert won.count(True) == 1
        assert store.read("race/name") == b"%d" % won.index(True)

    def test_creators_of_the_same_all_win(self, store: Store) -> None:
        """Thirty-two race for a name with the same bytes, and nobody is refused."""
        assert not any(_together(lambda _: _conflicts(lambda: store.create("race/name", b"same")), 32))
        assert list(store.list()) == ["race/name"]

    def test_no_update_is_lost(self, store: Store) -> None:
        """Eight count up by compare-and-set, each until it has succeeded ten times."""
        store.create("count", b"0")

        def once() -> None:
            seen = store.read("count") or b""
            store.replace("count", b"%d" % (int(seen) + 1), expected=seen)

        def count(_: int) -> None:
            for _done in range(10):
                while _conflicts(once):
                    pass

        _together(count, 8)
        assert store.read("count") == b"80"

    def test_one_of_many_first_replacements_wins(self, store: Store) -> None:
        """When a name must be absent, one replacement succeeds even if all bring the same bytes."""
        lost = _together(lambda _: _conflicts(lambda: store.replace("first", b"same", expected=None)), 16)
        assert lost.count(False) == 1


class SignerContract:
    """Inherited by the tests of a `Signer`."""

    def test_the_key_verifies_what_was_signed(self, signer: Signer) -> None:
        """Data of any length, the same more than once, and both halves belong together (B025)."""
        verifier = signer.key.verifier()
        assert verifier is not None
        for data in (b"", b"data", b"data", b"\x00" * 100_000):
            assert verifier.verify(signer.sign(data), data)

    def test_nothing_else_is_verified(self, signer: Signer) -> None:
        """Other data, a changed or a shortened signature: none is good."""
        verifier, signature = signer.key.verifier(), signer.sign(b"data")
        assert verifier is not None
        assert not verifier.verify(signature, b"date")
        assert not verifier.verify(signature[:-1], b"data")
        assert not verifier.verify(signature[:-1] + bytes([signature[-1] ^ 1]), b"data")

    def test_the_id_is_that_of_the_specification(self, signer: Signer) -> None:
        """SHA-256 of the canonical form of the key (4.2.1), and it does not change."""
        key = signer.key
        canonical = encode_canonical({"keytype": key.keytype, "keyval": key.keyval, "scheme": key.scheme})
        assert signer.keyid == hashlib.sha256(canonical).hexdigest()
        signer.sign(b"data")
        assert signer.key == key

    def test_threads_may_sign_at_once(self, signer: Signer) -> None:
        """Every thread gets the signature over its own data."""
        verifier = signer.key.verifier()
        assert verifier is not None
        signatures = _together(lambda number: signer.sign(b"%d" % number), 8)
        assert all(verifier.verify(signature, b"%d" % number) for number, signature in enumerate(signatures))


class _Trickle(io.BytesIO):
    """A stream that gives less than it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(4_099, size) if size and size > 0 else 4_099)


def _refused(kind: type[TuffetError]) -> AbstractContextManager[object]:
    import pytest

    return pytest.raises(kind)


def _conflicts(action: Callable[[], object]) -> bool:
    try:
        action()
    except ConflictError:
        return True
    return False


def _together(action: Callable[[int], T], times: int) -> list[T]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(action, range(times)))
