"""Options that several commands share, each written once."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from tuffet.cli.output import Output
from tuffet.errors import FormatError

F = TypeVar("F", bound=Callable[..., Any])

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Instant(click.ParamType[datetime]):
    """A day, or an instant with its time zone."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant; a day begins at midnight UTC."""
        from tuffet.metadata.expiry import parse_time  # The help of a command shall not wait for it.

        text = value if "T" in value or "t" in value else f"{value}T00:00:00Z"
        try:
            return parse_time(text.upper())
        except FormatError:
            self.fail(f"{value!r} is no day like 2030-01-31 and no instant like 2030-01-31T12:00:00Z", param, ctx)


class Digest(click.ParamType[str]):
    """A SHA-256 digest in hexadecimal."""

    name = "digest"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the 64 digits in lower case; people paste them with `sha256:` before and blanks around."""
        digits = str(value).strip().lower().removeprefix("sha256:")
        if not _DIGEST.fullmatch(digits):
            self.fail(f"{value!r} is no SHA-256 digest of 64 hexadecimal digits", param, ctx)
        return digits


def _want_json(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  click's own signature
    ctx.ensure_object(Output).as_json = wanted


def _want_quiet(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  click's own signature
    ctx.ensure_object(Output).quiet = wanted


def reporting(command: F) -> F:
    """Add `--json` and `--quiet`, which act on the run's Output."""
    as_json = click.option("--json", is_flag=True, expose_value=False, callback=_want_json, help="Print JSON instead of text.")
    quiet = click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_want_quiet, help="Say only what was asked for.")
    return as_json(quiet(command))


def in_repository(command: F) -> F:
    """Add `-C`, which names the repository."""
    return click.option(
        "-C",
        "--repo",
        "directory",
        metavar="DIR",
        envvar="TUFFET_REPO",
        type=click.Path(file_okay=False),
        help="The repository; otherwise the nearest one upward from here. [env: TUFFET_REPO]",
    )(command)


def with_passphrase(command: F) -> F:
    """Add `--passphrase-fd`."""
    return click.option(
        "--passphrase-fd",
        "descriptor",
        metavar="N",
        type=click.IntRange(min=0),
        help="Read passphrases from file descriptor N, one line each; otherwise from TUFFET_PASSPHRASE or the terminal.",
    )(command)


def with_instant(command: F) -> F:
    """Add `--at`."""
    return click.option(
        "--at",
        "instant",
        metavar="INSTANT",
        type=Instant(),
        help="Judge expiry as of this instant (2030-01-31), to read metadata that is out of date.",
    )(command)


def with_root(command: F) -> F:
    """Add the two ways to say which root is trusted, and how its repository writes."""
    root = click.option("--root", "root_file", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help="Pin this root metadata.")
    digest = click.option(
        "--sha256", "digest", metavar="DIGEST", type=Digest(), help="Pin the repository's first root, if this is its SHA-256."
    )
    envelope = click.option("--envelope", is_flag=True, help="The repository writes DSSE envelopes (TAP 17).")
    return root(digest(envelope(command)))
