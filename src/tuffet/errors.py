"""Everything that tuffet raises: one tree, evidence in fields.

They misbehaved (`VerificationError`), the wire failed (`TransportError`), the disk failed (`StorageError`),
no signature could be made (`SigningError`), or the caller erred (`UsageError`). A message is one lower-case
sentence with the role and the numbers in it. An error that means an attack carries its class (specification 1.5.2).
"""


class TuffetError(Exception):
    """Whatever tuffet refuses or cannot do; catch this one to catch them all."""

    attack: str | None = None
    """The class of attack that this refusal stopped (specification 1.5.2), where there is one."""


class VerificationError(TuffetError):
    """What was offered may not be believed; what was believed before still is."""

    attack = "arbitrary-software"


class FormatError(VerificationError):
    """A document breaks the rules of its format (specification 4); `where` is the path inside it, `role` whose it should be."""

    attack = "malformed"

    def __init__(self, where: str, problem: str, role: str | None = None) -> None:
        super().__init__(f"{role} is malformed at {where}: {problem}" if role else f"{where}: {problem}")
        self.where, self.problem, self.role = where, problem, role


class ThresholdError(VerificationError):
    """Too few of a role's keys vouch for a document."""

    def __init__(self, role: str, *, needed: int, proved: tuple[str, ...], by: str | None = None) -> None:
        of = f" of {by}" if by else ""
        super().__init__(f"{role} needs {needed} good signature{'s' * (needed != 1)} by keys{of}, {len(proved)} found")
        self.role, self.needed, self.proved, self.by = role, needed, proved, by


class RollbackError(VerificationError):
    """Metadata older than metadata already trusted was offered; `offered` is None where a role vanished."""

    attack = "rollback"

    def __init__(self, role: str, *, trusted: int, offered: int | None) -> None:
        went = f"went back from version {trusted} to {offered}" if offered is not None else f"vanished after version {trusted}"
        super().__init__(f"{role} {went}")
        self.role, self.trusted, self.offered = role, trusted, offered


class ExpiredError(VerificationError):
    """Metadata is past its expiry, or somebody keeps newer metadata from us (freeze)."""

    attack = "freeze"

    def __init__(self, role: str, *, expired: str, start: str, version: int) -> None:
        super().__init__(f"{role} version {version} expired at {expired}, the update started at {start}")
        self.role, self.expired, self.start, self.version = role, expired, start, version


class MismatchError(VerificationError):
    """Bytes or a version differ from what a trusted document says of them (mix-and-match, arbitrary software)."""

    attack = "mix-and-match"

    def __init__(self, role: str, what: str, *, expected: object, offered: object, attack: str = "mix-and-match") -> None:
        super().__init__(f"{role} has the wrong {what}: {offered}, expected {expected}")
        self.role, self.what, self.expected, self.offered, self.attack = role, what, expected, offered, attack


class LimitError(VerificationError):
    """A limit set against wasted time and space was exceeded; `limit` is its name in `Limits`."""

    attack = "endless-data"

    def __init__(self, limit: str, allowed: int, detail: str) -> None:
        super().__init__(f"{detail}: the limit {limit} is {allowed}")
        self.limit, self.allowed = limit, allowed


class TransportError(TuffetError):
    """The wire failed; nothing is said about who is to blame."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url}: {problem}")
        self.url, self.problem = url, problem


class ConnectError(TransportError):
    """The connection broke or was never made; the one transport error that is worth another try."""


class TooLargeError(TransportError):
    """More bytes came than may come (endless data)."""

    attack = "endless-data"

    def __init__(self, url: str, *, at_most: int) -> None:
        super().__init__(url, f"more than the {at_most} bytes that are allowed")
        self.at_most = at_most


class TooSlowError(TransportError):
    """Bytes come slower than the minimum speed, or not before the deadline (slow retrieval)."""

    attack = "slow-retrieval"


class StatusError(TransportError):
    """The server answered with a status that is no success."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(url, f"the server answered with status {status}")
        self.status = status


class AbsentError(StatusError):
    """The file is not there: status 404, 410, or 403 as object stores say it."""


class StorageError(TuffetError):
    """The disk, or what stands for it, failed."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


class ConflictError(StorageError):
    """A name that may be created once exists with other bytes, or a compare-and-set lost."""


class SigningError(TuffetError):
    """A key is absent, locked, or refused to sign."""


class UsageError(TuffetError):
    """The caller asked for something that makes no sense."""
