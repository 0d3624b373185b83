"""What becomes of an error: its exit status, the attack it may be, and what to do next. One table for all of them."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final

from tuffet.cli.own_errors import NoPassphraseError, NoRepositoryError, NoRootError, NoTargetError, OtherRootError
from tuffet.errors import (
    AbsentError,
    ConflictError,
    ConnectError,
    ExpiredError,
    FormatError,
    LimitError,
    MismatchError,
    RollbackError,
    SigningError,
    StatusError,
    StorageError,
    ThresholdError,
    TooLargeError,
    TooSlowError,
    TransportError,
    UsageError,
    VerificationError,
)


class Status(IntEnum):
    """The exit statuses, as `docs/cli.md` lists them."""

    DONE = 0
    BUG = 1
    USAGE = 2
    REFUSED = 3
    TRANSPORT = 4
    STORAGE = 5
    KEYS = 6
    NO_TARGET = 7
    INTERRUPTED = 130
    READER_GONE = 141


_STATUSES: Final = (
    (NoTargetError, Status.NO_TARGET),
    (VerificationError, Status.REFUSED),
    (TransportError, Status.TRANSPORT),
    ((StorageError, OSError), Status.STORAGE),
    (SigningError, Status.KEYS),
    (UsageError, Status.USAGE),
)

_ATTACKS: Final = {
    "arbitrary-software": "an arbitrary software attack",
    "endless-data": "an endless data attack",
    "freeze": "an indefinite freeze attack",
    "mix-and-match": "a mix-and-match attack",
    "rollback": "a rollback attack",
    "slow-retrieval": "a slow retrieval attack",
}

_ASK_PUBLISHER: Final = "if it stays, tell the publisher, by another way than this server"


def _format(error: FormatError) -> list[str]:
    if error.where == "target path":
        return ["the name cannot be a file below a directory; `--to FILE` writes it under a name of your own"]
    return [
        "this is not TUF metadata in the format that was expected: check that it is what you meant",
        "a server that answers every name with a web page looks like this; DSSE envelopes need `--envelope` when the root is pinned",
    ]


def _threshold(error: ThresholdError) -> list[str]:
    if error.role == "root":
        return ["the root that you pinned may be of another repository: compare its SHA-256 with what the publisher says", _ASK_PUBLISHER]
    return [f"the document was not signed by those who may speak for {error.role}: do not use it", _ASK_PUBLISHER]


def _rollback(error: RollbackError) -> list[str]:
    return [
        "try again later or from another network: a mirror that lags behind looks like this",
        f"if it stays, ask the publisher whether {error.role} was restored from an old backup",
    ]


def _expired(error: ExpiredError) -> list[str]:
    return [
        f"publisher: run `tuffet renew` (`tuffet status` shows when {error.role} expires)",
        "user: check this machine's clock, then try again later or from another network",
        "to read old metadata all the same, give the day to judge it by: `--at YYYY-MM-DD`",
    ]


def _mismatch(error: MismatchError) -> list[str]:
    if error.role == "root":
        return ["compare the digest with what the publisher says; do not pin the root that the server offers"]
    return ["try again in a minute: a mirror that is just being updated looks like this", _ASK_PUBLISHER]


def _limit(error: LimitError) -> list[str]:
    return [
        "no honest repository should come near this limit: " + _ASK_PUBLISHER,
        f"programs may set {error.limit} in tuffet.Limits; the command line keeps to the default",
    ]


def _status(error: StatusError) -> list[str]:
    if error.status >= 500:
        return ["the server is in trouble: try again later"]
    return ["the server refuses: check the URL, and whether it wants a login, which tuffet does not send"]


def _no_target(error: NoTargetError) -> list[str]:
    guess = [f"did you mean {' or '.join(map(repr, error.similar))}?"] if error.similar else []
    if error.url is None:
        return [*guess, "`tuffet status --targets` shows the names"]
    return [*guess, f"`tuffet list {error.url}` shows the names, `tuffet explain {error.url} NAME` why one is not found"]


HINTS: Final[dict[type[Exception], Callable[[Any], list[str]]]] = {
    NoTargetError: _no_target,
    NoRootError: lambda error: [
        f"ask the publisher for the digest of the first root, then `tuffet trust {error.url} --sha256 DIGEST`",
        f"or with the root itself: `tuffet trust {error.url} --root FILE`",
    ],
    OtherRootError: lambda _: [
        "if the publisher confirms that the repository starts anew with this root, add `--replace` to `tuffet trust`",
    ],
    NoRepositoryError: lambda _: ["go to the repository, name it with `-C DIR` or TUFFET_REPO, or make one with `tuffet init DIR`"],
    FormatError: _format,
    ThresholdError: _threshold,
    RollbackError: _rollback,
    ExpiredError: _expired,
    MismatchError: _mismatch,
    LimitError: _limit,
    VerificationError: lambda _: [_ASK_PUBLISHER],
    AbsentError: lambda _: [
        "check the URL: it is the folder that holds metadata/ and targets/",
        "where these are elsewhere: `tuffet trust URL --metadata-url URL --target-url URL`",
    ],
    StatusError: _status,
    ConnectError: lambda _: ["check the URL, the network, and the proxy in http_proxy or https_proxy; then try again"],
    TooLargeError: lambda _: ["the server sends more than the file may have: " + _ASK_PUBLISHER],
    TooSlowError: lambda _: ["try again later or from another network; what came so far was not kept"],
    TransportError: lambda _: ["check the URL and the network, then try again"],
    ConflictError: lambda _: ["somebody else changed the same thing, and theirs stays: look at `tuffet status`, then try again"],
    StorageError: lambda _: ["nothing is half done: remove the cause, then run the same command again"],
    OSError: lambda _: ["check that the file is there and may be read and written"],
    NoPassphraseError: lambda _: [
        "set TUFFET_PASSPHRASE, or hand it in with `--passphrase-fd N`, or type it: at a terminal it is asked for",
        "`--no-passphrase` keeps the keys unencrypted, for trials or where the disk itself is guarded",
    ],
    SigningError: lambda _: [
        "the passphrase comes from `--passphrase-fd N`, from TUFFET_PASSPHRASE, or from you at a terminal",
        "`keys/` in the repository must hold the key files; a lost one comes back from its backup only",
    ],
    UsageError: lambda _: [],
}
"""What to do next, by the class of the error; the class nearest to the error's own counts."""


def status_of(error: Exception) -> Status:
    """Return the exit status that an error ends with."""
    return next((status for kinds, status in _STATUSES if isinstance(error, kinds)), Status.BUG)


def attack_of(error: Exception) -> str | None:
    """Return the class of attack that looks like this error, as the specification calls it (1.5.2)."""
    attack = getattr(error, "attack", None)
    return attack if attack in _ATTACKS else None


def attack_sentence(error: Exception) -> str | None:
    """Return the sentence that names the attack."""
    attack = attack_of(error)
    return f"this is what {_ATTACKS[attack]} looks like; what you trusted before is untouched" if attack else None


def hints_for(error: Exception) -> list[str]:
    """Return what to do next."""
    return next((HINTS[kind](error) for kind in type(error).__mro__ if kind in HINTS), [])


def message_of(error: Exception) -> str:
    """Return the sentence that says what happened."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}" if error.filename else error.strerror.lower()
    return str(error) or type(error).__name__


def as_json(error: Exception, hints: Sequence[str]) -> dict[str, Any]:
    """Return the error as `--json` shows it: what all errors have, and the fields of its own."""
    plain = (str, int, float, bool, type(None))
    fields = {
        name: list(value) if isinstance(value, tuple) else value if isinstance(value, plain) else str(value)
        for name, value in vars(error).items()
        if not name.startswith("_") and name != "attack"
    }
    common = {"kind": type(error).__name__, "message": message_of(error), "status": int(status_of(error))}
    return {"error": {**fields, **common, "attack": attack_of(error), "hints": list(hints)}}
