"""Documents as lines of text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tuffet.cli.output import Output, Part, Styled, columns, count, day, size

if TYPE_CHECKING:
    from tuffet.cli.examine import DelegationSeen, RoleSeen

_COLOURS = {"good": "green", "bad": "red", "absent": "yellow", "unknown": "yellow"}
_SHORT_ID = 12
_MOST_PATHS = 6
_MOST_DELEGATIONS = 40
SOON_DAYS = 3


def describe(role: "RoleSeen", out: Output) -> None:
    """Print a document: what it is, who signed it, and to whom it delegates."""
    out.answer("")
    if not role.version:
        out.answer(Styled(role.role, "cyan"), Styled(role.problem or "", "red"))
        return
    out.answer(Styled(role.role, "cyan"), f"version {role.version}, expires {day(role.expires)}", expiry(role.days_left))
    if role.problem:
        out.answer("  problem:   ", Styled(role.problem, "red"))
    if facts := ", ".join(_facts(role.facts)):
        out.answer("  contents:  ", facts)
    out.answer("  signatures:", _verdict(role), f"(by {role.by})" if role.by else "")
    for row in columns([["   ", key.keyid[:_SHORT_ID], key.scheme, Styled(key.signature, _COLOURS[key.signature])] for key in role.keys]):
        out.answer(*row)
    roles = role.facts.get("roles")
    for name, keys in roles.items() if isinstance(roles, dict) else ():
        ids = ", ".join(keyid[:_SHORT_ID] for keyid in keys["keyids"])
        out.answer(f"  {name}: {keys['threshold']} of {count(len(keys['keyids']), 'key')}: {ids}")
    for line in _tree(role.delegations):
        out.answer(line)


def expiry(days_left: int) -> Part:
    """Return how long a document is still good."""
    if days_left < 0:
        return Styled("(expired)", "red")
    left = "(less than a day left)" if days_left == 0 else f"({count(days_left, 'day')} left)"
    return Styled(left, "yellow") if days_left <= SOON_DAYS else left


def _verdict(role: "RoleSeen") -> Part:
    if role.verified is None:
        return Styled("not checked: it is not known whose keys count", "yellow")
    said = f"{role.good} good, {role.threshold} needed"
    return Styled(f"enough ({said})", "green") if role.verified else Styled(f"NOT enough ({said})", "red")


def _facts(facts: dict[str, Any]) -> Iterator[str]:
    if "consistent_snapshot" in facts:
        yield f"{count(facts['keys'], 'key')}, {'' if facts['consistent_snapshot'] else 'no '}consistent snapshots"
    if "snapshot" in facts:
        yield f"snapshot version {facts['snapshot']}"
    if isinstance(facts.get("roles"), int):
        yield count(facts["roles"], "role")
    if "targets" in facts:
        yield f"{count(facts['targets'], 'target')}, {size(facts['bytes'])}"


def _tree(delegations: "tuple[DelegationSeen, ...]") -> Iterator[str]:
    shown = delegations[:_MOST_DELEGATIONS]
    for delegation in shown:
        what = [*delegation.paths, *(f"hash {prefix}…" for prefix in delegation.path_hash_prefixes)]
        more = f" and {len(what) - _MOST_PATHS} more" if len(what) > _MOST_PATHS else ""
        end = ", terminating" if delegation.terminating else ""
        keys = f"{delegation.threshold} of {count(len(delegation.keyids), 'key')}"
        yield f"  └ {delegation.role}: {', '.join(what[:_MOST_PATHS])}{more} ({keys}{end})"
    if len(delegations) > len(shown):
        yield f"  └ and {len(delegations) - len(shown)} more"
