"""The hashes that a document lists for a file: which algorithms count, and how a digest is written.

Every listed algorithm that is known is checked, and a list without a known one is refused (specification 4.1, B049,
B087): an attacker who drops an algorithm, or names one nobody knows, gains nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, UnsetType

from tuffet.errors import FormatError
from tuffet.metadata.schema import Document, build

_HEX: Final = b"0123456789abcdef"
_BATCH: Final = 4096


def _maker(name: str, **options: int) -> Callable[..., Any]:
    def make(data: bytes = b"") -> Any:
        import hashlib  # Loads OpenSSL, which takes 2 ms: a client's first request is under way by then.

        return getattr(hashlib, name)(data, **options)

    return make


ALGORITHMS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
    "sha256": (64, _maker("sha256")),
    "sha512": (128, _maker("sha512")),
    "sha384": (96, _maker("sha384")),
    "sha3-256": (64, _maker("sha3_256")),
    "sha3_256": (64, _maker("sha3_256")),
    "sha3-384": (96, _maker("sha3_384")),
    "sha3_384": (96, _maker("sha3_384")),
    "sha3-512": (128, _maker("sha3_512")),
    "sha3_512": (128, _maker("sha3_512")),
    "blake2s": (64, _maker("blake2s")),
    "blake2b": (128, _maker("blake2b")),
    "blake2b-256": (64, _maker("blake2b", digest_size=32)),
}
"""Known algorithms: the digits of a digest and what makes it. MD5 and SHA-1 are carried, and never count."""


class Hashes(Document, frozen=True, gc=False):
    """The digests of one file by algorithm, as lower-case hex; algorithms other than the usual two are in `unknown`."""

    sha256: Annotated[str, Meta(min_length=64, max_length=64)] | UnsetType = UNSET
    sha512: Annotated[str, Meta(min_length=128, max_length=128)] | UnsetType = UNSET

    def known(self) -> dict[str, str]:
        """Return the digests of all listed algorithms that are known; never empty for a parsed document."""
        usual = {"sha256": self.sha256, "sha512": self.sha512}
        return {name: str(digest) for name, digest in (usual | (self.unknown or {})).items() if digest and name in ALGORITHMS}

    def mismatch(self, data: bytes) -> tuple[str, str, str] | None:
        """Return algorithm, listed digest and actual digest of the first known algorithm that disagrees with the data."""
        for name, listed in self.known().items():
            actual = ALGORITHMS[name][1](data).hexdigest()
            if actual != listed:
                return name, listed, actual
        return None


def hashes_of(data: bytes, algorithms: Iterable[str] = ("sha256",)) -> Hashes:
    """Return the digests of the data; every algorithm must be a known one."""
    return make_hashes({name: ALGORITHMS[name][1](data).hexdigest() for name in algorithms})


def make_hashes(digests: dict[str, str]) -> Hashes:
    """Return the hashes for digests by algorithm; raises FormatError where one is malformed or none is known."""
    hashes = build(digests, Hashes, "hashes")
    _require_one(hashes, "hashes")
    return hashes


def require_digests(listed: Sequence[Hashes], named: Callable[[], Iterable[tuple[str, Hashes]]]) -> None:
    """Refuse hashes that are not lower-case hex, that name no known algorithm, or whose length is wrong.

    The good case looks at many digests at a time, because a role may list a hundred thousand files; only where that
    fails, `named` yields (path inside the document, hashes) again to find the culprit.
    """
    if all(_all_usual(listed[start : start + _BATCH]) for start in range(0, len(listed), _BATCH)):
        return
    for where, hashes in named():
        _require_one(hashes, where)


def _all_usual(listed: Sequence[Hashes]) -> bool:
    """Return whether these are known to be good: none but the usual algorithms, at least one of them each, and all hexadecimal."""
    digests: list[Any] = [hashes.sha256 for hashes in listed]
    if [None for hashes in listed if hashes.sha512 or hashes.unknown]:  # A list is built faster than a generator runs.
        if any(hashes.unknown or not (hashes.sha256 or hashes.sha512) for hashes in listed):
            return False
        digests = [digest for hashes in listed for digest in (hashes.sha256, hashes.sha512) if digest]
    try:
        return not "".join(digests).encode().translate(None, _HEX)
    except TypeError:  # One has none of the usual digests.
        return False


def _require_one(hashes: Hashes, where: str) -> None:
    known = hashes.known()
    if not known:
        raise FormatError(where, "no algorithm that is known")
    for algorithm, digest in known.items():
        digits = ALGORITHMS[algorithm][0]
        if len(digest) != digits or digest.encode().translate(None, _HEX):
            raise FormatError(f"{where}.{algorithm}", f"expected {digits} lower-case hexadecimal digits")
