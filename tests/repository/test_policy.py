"""A policy is read strictly: whatever it does not define is refused with the place and what to do."""

import re
from datetime import timedelta

import pytest

from tuffet.errors import UsageError
from tuffet.metadata.dsse import DSSE
from tuffet.metadata.tuf_json import TUF_JSON
from tuffet.repository import Choices, parse_policy
from tuffet.repository.policy_text import policy_text

GOOD = policy_text(Choices(bins=16384), "a" * 64)

WRONG = [
    ("no TOML", "[repository", "]", "is no TOML"),
    ("a misspelt field", "threshold = 2", "treshold = 2", "`treshold`: correct the name; known here are keys, expires, threshold"),
    ("a misspelt section", "[bins]", "[bin]", "unknown field `bin`: correct the name; known here are repository, roles, keys"),
    ("a threshold that nobody can reach (B050)", "threshold = 2", "threshold = 4", "threshold 4 is more than the 3 keys listed"),
    ("no threshold (B084)", "threshold = 2", "threshold = 0", "roles.NAME.threshold: expected `int` >= 1"),
    ("a negative threshold (B084)", "threshold = 2", "threshold = -1", "expected `int` >= 1"),
    ("a threshold in words", "threshold = 2", 'threshold = "2"', "roles.NAME.threshold: expected `int`, got `str`"),
    ("a threshold that is true", "threshold = 2", "threshold = true", "expected `int`, got `bool`"),
    ("a key twice (B013)", '"root-1", "root-2"', '"root-1", "root-1"', "keys lists a key twice"),
    ("a key that is not defined", '["targets"]', '["elsewhere"]', "roles.targets names the key elsewhere: add [keys.elsewhere] with file"),
    ("no keys", '["targets"]', "[]", "roles.NAME.keys: expected `array` of length >= 1"),
    ("one file for two keys (B023)", 'keys/root-2.key.json"', 'keys/root-1.key.json"', "two [keys] share one file"),
    ("a key name that is a path", '["targets"]', '["../targets"]', "roles.NAME.keys"),
    ("a period without a unit", '"365d"', '"365"', "'365' is no period: write days or hours, such as 30d or 24h"),
    ("a period in minutes", '"7d"', '"90m"', "is no period"),
    ("an endless period (B132)", '"365d"', '"36500d"', "from 1h to 3650d"),
    ("no period at all (B132)", '"7d"', '"0d"', "from 1h to 3650d"),
    ("a margin longer than the life", 'renew_before = "3d"', 'renew_before = "8d"', "renew_before must be shorter than expires"),
    ("bins that are no power of two", "count = 16384", "count = 1000", "bins: count must be a power of two from 2 to 65536"),
    ("too many bins", "count = 16384", "count = 131072", "count must be a power of two"),
    ("one bin", "count = 16384", "count = 1", "count must be a power of two"),
    ("an unknown envelope", '"tuf-json"', '"json"', "repository.envelope: invalid enum value 'json'"),
    ("an unknown digest (B131)", '["sha256"]', '["md5"]', "repository.hashes[0]: invalid enum value 'md5'"),
    ("no digest (B087)", '["sha256"]', "[]", "repository.hashes: expected `array` of length >= 1"),
    ("a digest twice", '["sha256"]', '["sha256", "sha256"]', "hashes lists an algorithm twice"),
    ("half a digest of the root (B131)", '"aaaa', '"', "repository.root_sha256"),
    ("an unpinned root", 'root_sha256 = "', 'root = "', "unknown field `root`"),
    ("a role of one's own", "[roles.timestamp]", "[roles.mirrors]", "roles.mirrors is no role"),
    ("bins without their role", "[roles.bins]", "[keys.x]", "unknown field `keys`"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_policy(old: str, new: str, problem: str) -> None:
    assert old in GOOD
    with pytest.raises(UsageError, match=f"^tuffet.toml.*{re.escape(problem)}"):
        parse_policy(GOOD.replace(old, new))


def test_a_missing_part() -> None:
    for section, problem in (("roles.snapshot", "[roles.snapshot] is missing"), ("bins", "there is [roles.bins] but no [bins]")):
        text = re.sub(rf"(?ms)^\[{section}\]\n.*?\n\n", "", GOOD)
        with pytest.raises(UsageError, match=re.escape(problem)):
            parse_policy(text)
    with pytest.raises(UsageError, match="required field `roles`"):
        parse_policy(f'[repository]\nroot_sha256 = "{"0" * 64}"')


def test_the_first_policy() -> None:
    """What is written is what is read, and the periods are those that the comments speak of."""
    policy = parse_policy(GOOD)
    assert {name: (role.lasts.days, role.renewed_before.days, role.threshold, len(role.keys)) for name, role in policy.roles.items()} == {
        "root": (365, 120, 2, 3),
        "targets": (365, 120, 1, 1),
        "bins": (90, 30, 1, 1),
        "snapshot": (30, 10, 1, 1),
        "timestamp": (7, 3, 1, 1),
    }
    owners = [name for role in policy.roles.values() for name in role.keys]
    assert len(set(owners)) == len(owners), "no key signs for two roles (B053, B122)"
    assert policy.dialect is TUF_JSON
    assert parse_policy(policy_text(Choices(envelope="dsse"))).dialect is DSSE
    assert parse_policy(policy_text(Choices(root_keys=1, root_threshold=1))).roles["root"].keys == ("root-1",)
    text = GOOD.replace('renew_before = "3d"\n', "")
    assert parse_policy(text).of("timestamp").renewed_before == timedelta(days=7) / 3
    assert parse_policy(GOOD).of("bins-3fff") is not None


@pytest.mark.parametrize("choices", [Choices(root_keys=0), Choices(root_threshold=4), Choices(bins=3), Choices(hashes=())])
def test_wrong_choices(choices: Choices) -> None:
    with pytest.raises(UsageError):
        parse_policy(policy_text(choices))
