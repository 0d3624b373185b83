"""Every error has its status and its hint, as text and as JSON, and nothing ends as a traceback."""

import inspect
import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import click
import pytest

from tests.cli.harness import SOURCES, Terminal
from tuffet import errors
from tuffet.cli import commands
from tuffet.cli.errors import HINTS, Status
from tuffet.cli.own_errors import NoPassphraseError, NoRepositoryError, NoRootError, NoTargetError, OtherRootError
from tuffet.cli.program import run
from tuffet.errors import TuffetError

DOCS = SOURCES.parent / "docs" / "cli.md"

EXAMPLES: list[tuple[BaseException, int, str | None]] = [
    (errors.VerificationError("no"), 3, "arbitrary-software"),
    (errors.FormatError("signed.expires", "no"), 3, None),
    (errors.ThresholdError("root", needed=2, proved=("a",)), 3, "arbitrary-software"),
    (errors.RollbackError("timestamp", trusted=7, offered=6), 3, "rollback"),
    (errors.ExpiredError("timestamp", expired="2030-01-01T00:00:00Z", start="2030-01-02T00:00:00Z", version=1), 3, "freeze"),
    (errors.MismatchError("snapshot", "sha256", expected="a", offered="b"), 3, "mix-and-match"),
    (errors.LimitError("root_rotations", 3, "too many"), 3, "endless-data"),
    (errors.TransportError("https://example.com/", "no"), 4, None),
    (errors.ConnectError("https://example.com/", "no"), 4, None),
    (errors.TooLargeError("https://example.com/", at_most=1), 4, "endless-data"),
    (errors.TooSlowError("https://example.com/", "slow"), 4, "slow-retrieval"),
    (errors.StatusError("https://example.com/", 503), 4, None),
    (errors.AbsentError("https://example.com/", 404), 4, None),
    (errors.StorageError("/file", "no"), 5, None),
    (errors.ConflictError("/file", "no"), 5, None),
    (PermissionError(13, "Permission denied", "/file"), 5, None),
    (errors.SigningError("no"), 6, None),
    (NoPassphraseError("the new keys"), 6, None),
    (errors.UsageError("no"), 2, None),
    (NoRootError("https://example.com/"), 2, None),
    (NoRepositoryError("no"), 2, None),
    (OtherRootError("https://example.com/", pinned="a", offered="b"), 3, "arbitrary-software"),
    (NoTargetError("https://example.com/", "name"), 7, None),
    (TuffetError("a kind that nobody knows"), 1, None),
    (RuntimeError("oops"), 1, None),
    (click.UsageError("No such thing."), 2, None),
    (KeyboardInterrupt(), 130, None),
    (click.Abort(), 130, None),
]


def ran(error: BaseException, *arguments: str) -> tuple[int, str, str]:
    """Run a command that ends with an error."""

    @click.command()
    def fails() -> None:
        raise error

    class Failing(commands.Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            return fails

        def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str, click.Command, list[str]]:
            return "status", fails, []

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run(["status", *arguments], Failing("tuffet"))
    return status, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("error", "status", "attack"), EXAMPLES, ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else ""
)
def test_every_error_ends_with_its_status_its_attack_and_a_hint(error: BaseException, status: int, attack: str | None) -> None:
    ended, out, err = ran(error)
    assert (ended, out) == (status, "")
    lines = err.splitlines()
    if status == 130:
        assert lines == ["interrupted: nothing is half done, and the same command may be run again"]
    else:
        assert lines[0].startswith("error: ")
        assert any(line.startswith("hint: ") for line in lines) or (status == 1 and isinstance(error, TuffetError))
    assert any(line.startswith("  this is what ") for line in lines) is bool(attack)
    ended, out, err = ran(error, "--json")
    shown = json.loads(err)["error"]
    assert (ended, out, shown["status"], shown["attack"]) == (status, "", status, attack)
    assert {"kind", "message", "hints"} <= shown.keys()


def test_the_examples_are_all_the_errors_that_there_are() -> None:
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)}
    assert kinds - {type(error) for error, _, _ in EXAMPLES} == set()


def test_every_error_below_the_root_has_its_own_or_an_inherited_hint() -> None:
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)} - {TuffetError}
    assert all(any(parent in HINTS for parent in kind.__mro__) for kind in kinds)


def test_a_bug_shows_its_traceback_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, err = ran(RuntimeError("oops"))
    assert "Traceback" not in err
    assert "please report it" in err
    monkeypatch.setenv("TUFFET_DEBUG", "1")
    assert "Traceback" in ran(RuntimeError("oops"))[2]
    monkeypatch.setenv("TUFFET_DEBUG", "0")
    assert "Traceback" not in ran(RuntimeError("oops"))[2]


def test_control_characters_in_a_message_are_escaped() -> None:
    _, _, err = ran(errors.StorageError("/a\x1b]0;title\x07b\n", "no\u202e"))
    assert all(line.isprintable() for line in err.splitlines())
    assert r"\x1b]0;title\x07b\n" in err


def test_the_documentation_lists_every_status() -> None:
    table = re.findall(r"^\| (\d+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(map(int, table)) == sorted(status.value for status in Status)


def test_the_documentation_shows_an_error_as_it_is() -> None:
    _, _, err = ran(errors.RollbackError("timestamp", trusted=7, offered=6))
    assert err in DOCS.read_text(encoding="utf-8")


def test_mistakes_in_arguments_are_json_where_that_is_asked_for(tuffet: Terminal) -> None:
    for wrong in (("nonsense", "--json"), ("get", "--json"), ("get", "--nonsense", "--json"), ("list", "x", "--at", "y", "--json")):
        answer = tuffet(*wrong)
        assert (answer.status, answer.out, answer.error["status"]) == (2, "", 2)
    assert "Did you mean 'publish'?" in tuffet("publsh").err


def test_without_a_command_the_help_is_shown(tuffet: Terminal) -> None:
    answer = tuffet()
    assert (answer.status, answer.out) == (2, "")
    assert "Usage: tuffet" in answer.err


def test_the_library_never_prints() -> None:
    """Whatever is printed or asked is printed and asked here."""
    for path in (SOURCES / "tuffet").rglob("*.py"):
        if "cli" not in Path(path).relative_to(SOURCES).parts:
            assert not re.search(
                r"\bprint\(|\binput\(|^import getpass|sys\.std(out|err)", path.read_text(encoding="utf-8"), re.MULTILINE
            ), path
