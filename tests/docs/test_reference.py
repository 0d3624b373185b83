"""The reference pages list what there is: every error, every setting, every public name, and nothing else."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

from tests.cli.test_errors import EXAMPLES
from tuffet import errors
from tuffet.cli import own_errors
from tuffet.cli.errors import status_of
from tuffet.errors import TuffetError
from tuffet.keys.schemes import SCHEMES
from tuffet.repository import Choices, parse_policy
from tuffet.repository.policy import BinsPolicy, KeyPolicy, RepositoryPolicy, RolePolicy
from tuffet.repository.policy_text import policy_text

DOCS = Path(__file__).resolve().parents[2] / "docs"
ERRORS, POLICY, LIBRARY = ((DOCS / name).read_text(encoding="utf-8") for name in ("errors.md", "policy.md", "library.md"))


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """Yield the cells of the tables below a heading, up to the next one."""
    _, found, text = page.partition(f"\n{heading}\n")
    assert found, heading
    for line in re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0].splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def names(cell: str) -> list[str]:
    """Return what a cell quotes."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(
    ("heading", "module"),
    [("| Class | When | Fields | `attack` | Status |", errors), ("| Kind | When | Fields | `attack` | Status |", own_errors)],
)
def test_every_error_is_listed_as_it_is(heading: str, module: object) -> None:
    kinds = {
        name: kind
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, TuffetError) and kind.__module__ == getattr(module, "__name__", "")
    }
    listed = {names(row[0])[0]: row for row in rows(ERRORS, heading)}
    assert listed.keys() == kinds.keys()
    examples = {type(error).__name__: error for error, _, _ in EXAMPLES if isinstance(error, TuffetError)}
    for name, (_, _, shown, attack, status) in listed.items():
        error = examples[name]
        assert set(names(shown)) == vars(error).keys() - {"attack"}, name
        assert names(attack)[:1] == ([error.attack] if error.attack else []), name
        assert int(status) == status_of(error), name


SECTIONS = [
    ("## `[repository]`", RepositoryPolicy),
    ("## `[roles.NAME]`", RolePolicy),
    ("## `[bins]`", BinsPolicy),
    ("## `[keys.NAME]`", KeyPolicy),
]


@pytest.mark.parametrize(("heading", "section"), SECTIONS)
def test_every_setting_is_listed_with_its_default(heading: str, section: type) -> None:
    settings = {names(row[0])[0]: row[1] for row in rows(POLICY, heading) if len(row) == 3}
    known = {field.name: field.default for field in fields(section)}
    assert settings.keys() == known.keys()
    for name, default in known.items():
        if default is NODEFAULT:
            assert settings[name] == "required"
        elif default is None:
            assert not settings[name].startswith("`")
        else:
            assert parse_toml(settings[name].strip("`")) == default


def parse_toml(value: str) -> object:
    """Return a TOML value as the policy has it."""
    import tomllib

    parsed = tomllib.loads(f"value = {value}")["value"]
    return tuple(parsed) if isinstance(parsed, list) else parsed


def test_the_table_of_what_init_writes_is_what_init_writes() -> None:
    policy = parse_policy(policy_text(Choices(bins=256)))
    listed = {names(row[0])[0]: row for row in rows(POLICY, "What `init` writes:")}
    assert listed.keys() == policy.roles.keys()
    for role, (_, keys, threshold, expires, renew_before, _) in listed.items():
        held = policy.of(role)
        assert (tuple(names(keys)), int(threshold)) == (held.keys, held.threshold)
        assert (names(expires), names(renew_before)) == ([held.expires], [held.renew_before])


def test_the_smallest_policy_is_one() -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```$", POLICY, re.MULTILINE | re.DOTALL)
    assert parse_policy(text).of("timestamp").threshold == 1


def test_the_schemes_are_those_that_there_are() -> None:
    (text,) = re.findall(r"^Schemes that .*?\. Other", POLICY, re.MULTILINE | re.DOTALL)
    assert names(text)[1:] == list(SCHEMES)


def test_every_name_of_the_library_exists_and_none_is_forgotten() -> None:
    modules = {path: set(names(cell)) for path, cell in re.findall(r"^\| `(tuffet[\w.]*)` \| (.*) \|$", LIBRARY, re.MULTILINE)}
    for path, listed in modules.items():
        module = import_module(path)
        assert {name for name in listed if not hasattr(module, name)} == set(), path
        assert set(getattr(module, "__all__", listed)) - {"__version__"} == listed, path
    assert {f"tuffet.{name}" for name in ("client", "metadata", "repository", "testing", "transport")} <= modules.keys()
