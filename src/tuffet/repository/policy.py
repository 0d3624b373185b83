"""What the owner of a repository decided: `tuffet.toml`, read strictly.

The file says who signs what, how long signatures last and how targets are spread. Whatever it does not define is
refused with the place and the cure, because a misspelt threshold must not become a default. It also pins the first
root, so that a publisher does not believe its own directory blindly (B064, B123).
"""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from tuffet.errors import UsageError
from tuffet.metadata.dsse import DSSE
from tuffet.metadata.envelope import Dialect
from tuffet.metadata.tuf_json import TUF_JSON
from tuffet.names import TOP_LEVEL

FILE: Final = "tuffet.toml"
MAX_FILE_BYTES: Final = 1_000_000
BINS: Final = "bins"
"""The bins together, as one entry of the policy; a bin itself is called `bins-3f`."""
MAX_BINS: Final = 2**16

SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=3650)
"""The shortest and the longest time for which a role may be signed (B132)."""

_ROLES: Final = (*TOP_LEVEL, BINS)
_PERIOD: Final = re.compile(r"([1-9][0-9]{0,4})([dh])")

KeyName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
Algorithm: TypeAlias = Literal["sha256", "sha512"]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class RepositoryPolicy(_Section, frozen=True):
    """`[repository]`: the pinned root and the form of what is published."""

    root_sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    envelope: Literal["tuf-json", "dsse"] = "tuf-json"
    hashes: Annotated[tuple[Algorithm, ...], msgspec.Meta(min_length=1)] = ("sha256",)
    hashes_in_snapshot: bool = False

    def __post_init__(self) -> None:
        if len(set(self.hashes)) != len(self.hashes):
            raise ValueError("hashes lists an algorithm twice: list it once")


class RolePolicy(_Section, frozen=True):
    """`[roles.NAME]`: by which keys a role is signed, how long that lasts, and how early it is renewed."""

    keys: Annotated[tuple[KeyName, ...], msgspec.Meta(min_length=1, max_length=256)]
    expires: str
    threshold: Annotated[int, msgspec.Meta(ge=1)] = 1
    renew_before: str | None = None

    @property
    def lasts(self) -> timedelta:
        """How long a new version is good for."""
        return parse_period(self.expires)

    @property
    def renewed_before(self) -> timedelta:
        """How long before its end a version is due to be renewed; a third of its life unless told otherwise."""
        return parse_period(self.renew_before) if self.renew_before is not None else self.lasts / 3

    def __post_init__(self) -> None:
        if len(set(self.keys)) != len(self.keys):
            raise ValueError("keys lists a key twice: list it once")
        if self.threshold > len(self.keys):
            # Nobody could ever sign for such a role again (B050).
            raise ValueError(f"threshold {self.threshold} is more than the {len(self.keys)} keys listed: lower it or list more keys")
        if self.renewed_before >= self.lasts:
            raise ValueError("renew_before must be shorter than expires")


class BinsPolicy(_Section, frozen=True):
    """`[bins]`: over how many roles the targets are spread (TAP 15)."""

    count: int

    def __post_init__(self) -> None:
        if not 2 <= self.count <= MAX_BINS or self.count & (self.count - 1):
            raise ValueError(f"count must be a power of two from 2 to {MAX_BINS}")


class KeyPolicy(_Section, frozen=True):
    """`[keys.NAME]`: the file of a private key, relative to the repository; its id and scheme are checked if they are given."""

    file: Annotated[str, msgspec.Meta(min_length=1)]
    keyid: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    scheme: str | None = None


class Policy(_Section, frozen=True):
    """The whole file."""

    repository: RepositoryPolicy
    roles: dict[str, RolePolicy]
    keys: dict[KeyName, KeyPolicy]
    bins: BinsPolicy | None = None

    @property
    def dialect(self) -> Dialect:
        """How documents are written; it is configured here and never guessed."""
        return DSSE if self.repository.envelope == "dsse" else TUF_JSON

    def of(self, role: str) -> RolePolicy:
        """Return the policy of a role; all bins share one. UsageError where bins are published and the policy has none."""
        group = role if role in TOP_LEVEL else BINS
        if group not in self.roles:
            raise UsageError(f"{FILE} has no [roles.{group}], which is published: add it, with [bins]")
        return self.roles[group]

    def __post_init__(self) -> None:
        for role in self.roles:
            if role not in _ROLES:
                raise ValueError(f"roles.{role} is no role: known are {', '.join(_ROLES)}")
        for role in _ROLES if self.bins else TOP_LEVEL:
            if role not in self.roles:
                raise ValueError(f"[roles.{role}] is missing: add it with keys and expires")
        if BINS in self.roles and not self.bins:
            raise ValueError("there is [roles.bins] but no [bins]: add it with count, or take the role away")
        for role, policy in self.roles.items():
            for name in policy.keys:
                if name not in self.keys:
                    raise ValueError(f"roles.{role} names the key {name}: add [keys.{name}] with file, or correct the name")
        files = [key.file for key in self.keys.values()]
        if len(set(files)) != len(files):
            # One key under two names would make a threshold of two worth one (B023).
            raise ValueError("two [keys] share one file: give each key a file of its own")


def parse_policy(text: str, where: str = FILE) -> Policy:
    """Return the policy; UsageError names the place and what to do."""
    import tomllib

    try:
        return msgspec.convert(tomllib.loads(text), Policy)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `")
        place = path.rstrip("`").removeprefix("$").removeprefix(".").replace("[...]", ".NAME")
        raise UsageError(f"{where}: {f'{place}: ' if place else ''}{problem[:1].lower()}{problem[1:]}{_cure(problem, place)}") from error


def parse_period(text: str) -> timedelta:
    """Return the time that `30d` or `24h` means; ValueError if it is out of bounds or none."""
    found = _PERIOD.fullmatch(text)
    period = timedelta(**{"days" if found[2] == "d" else "hours": int(found[1])}) if found else timedelta()
    if not SHORTEST <= period <= LONGEST:
        raise ValueError(f"{text[:20]!r} is no period: write days or hours, such as 30d or 24h, from 1h to 3650d")
    return period


def _cure(problem: str, place: str) -> str:
    if "unknown field" not in problem:
        return ""
    sections = {"repository": RepositoryPolicy, "roles": RolePolicy, "bins": BinsPolicy, "keys": KeyPolicy}
    known = sections.get(place.partition(".")[0], Policy).__struct_fields__
    return f": correct the name; known here are {', '.join(known)}"
