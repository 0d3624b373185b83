"""What only the command line raises: it knows URLs that nobody pinned, and names that somebody typed."""

from collections.abc import Sequence

from tuffet.errors import SigningError, TuffetError, UsageError, VerificationError


class NoTargetError(TuffetError):
    """No role that speaks for a name lists it."""

    def __init__(self, url: str | None, path: str, similar: Sequence[str] = ()) -> None:
        super().__init__(f"there is no target {path!r}{f' at {url}' if url else ''}")
        self.url, self.path, self.similar = url, path, tuple(similar)


class NoRootError(UsageError):
    """No root is pinned for a URL, so nothing from there can be judged."""

    def __init__(self, url: str) -> None:
        super().__init__(f"no root is pinned for {url}")
        self.url = url


class OtherRootError(VerificationError):
    """Another root is pinned for a URL than the one that is offered now."""

    def __init__(self, url: str, *, pinned: str, offered: str) -> None:
        super().__init__(f"{url} has another root pinned: the SHA-256 of the pinned one is {pinned}, of the offered one {offered}")
        self.url, self.pinned, self.offered = url, pinned, offered


class NoPassphraseError(SigningError):
    """New keys are to be encrypted, and nobody gave a passphrase or could be asked for one."""

    def __init__(self, keys: str) -> None:
        super().__init__(f"{keys} need a passphrase, and nobody gave one")


class NoRepositoryError(UsageError):
    """There is no repository where one was looked for."""
