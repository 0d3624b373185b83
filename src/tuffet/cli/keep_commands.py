"""`tuffet status` and `tuffet renew`: how the repository is, and how it stays fresh."""

from typing import TYPE_CHECKING, Any

import click

from tuffet.cli.errors import Status as Exit
from tuffet.cli.options import in_repository, reporting, with_passphrase
from tuffet.cli.output import Output, Part, Styled, columns, count, day, size
from tuffet.cli.show_text import expiry
from tuffet.errors import SigningError

if TYPE_CHECKING:
    from tuffet.repository import RoleStatus, Status

STATUS_EXAMPLES = """\b
Examples:
  tuffet status
  tuffet status --targets
  tuffet status -C releases --json
"""

RENEW_EXAMPLES = """\b
Examples:
  tuffet renew
  tuffet renew --force --passphrase-fd 3 3<passphrase.txt
"""


@click.command(epilog=STATUS_EXAMPLES)
@click.option("--targets", "with_targets", is_flag=True, help="List what is published.")
@in_repository
@reporting
@click.pass_obj
def status(out: Output, *, with_targets: bool, directory: str | None) -> None:
    """Show what is published, what waits to be, and when each role expires."""
    from tuffet.cli.repository import open_repository

    repository = open_repository(directory)
    report = repository.status()
    listed = sorted((found.path, found.file.length) for found in repository.targets()) if with_targets else None
    add = [change.path for change in report.staged if change.file]
    gone = [change.path for change in report.staged if not change.file]
    bins = f" in {report.bins} bins" if report.bins else ""
    out.answer(f"{report.directory}: {count(report.targets, 'target')}{bins}, root sha256 {report.root_sha256}")
    for row in columns([_row(role) for role in report.roles]):
        out.answer(*row)
    for row in columns([["  target", path, size(length)] for path, length in listed or ()]):
        out.answer(*row)
    for word, paths in (("add", add), ("remove", gone)):
        for path in paths:
            out.answer(Styled(f"  will {word}", "cyan"), path)
    for problem in report.problems:
        out.answer(Styled("problem:", "yellow"), problem)
    if not add and not gone:
        out.say("nothing waits to be published")
    published = {} if listed is None else {"published": [{"path": path, "length": length} for path, length in listed]}
    out.result({**_plain(report, add, gone), **published})


@click.command(epilog=RENEW_EXAMPLES)
@click.option("--force", is_flag=True, help="Sign again even what is good for long.")
@with_passphrase
@in_repository
@reporting
@click.pass_obj
def renew(out: Output, *, force: bool, descriptor: int | None, directory: str | None) -> int:
    """Sign again what expires soon, so that clients do not take the repository for a frozen one.

    Run it from a timer. It ends with status 6 if a role that is due could not be signed; the others are renewed all the same.
    """
    from tuffet.cli.passphrases import TypedKeys
    from tuffet.cli.repository import open_repository

    repository = open_repository(directory)
    renewed = repository.renew(TypedKeys(repository, descriptor), force=force)
    if renewed.blocked and not renewed.roles:
        raise SigningError(f"{renewed.blocked[0].role} was not renewed: {renewed.blocked[0].problem}")
    for role, version in renewed.roles.items():
        out.say(Styled("renewed", "green"), f"{role}, now version {version}")
    for blocked in renewed.blocked:
        out.warn(f"{blocked.role} was not renewed and expires {day(blocked.expires)}: {blocked.problem}")
    if not renewed.roles and not renewed.blocked:
        out.say("nothing is due")
    out.result(
        {
            "renewed": renewed.roles,
            "blocked": [{"role": each.role, "expires": each.expires, "problem": each.problem} for each in renewed.blocked],
        }
    )
    return Exit.KEYS if renewed.blocked else Exit.DONE


def _row(role: "RoleStatus") -> list[Part]:
    absent = sum(not key.here for key in role.keys)
    keys = f"{role.threshold} of {count(len(role.keyids), 'key')}" + (f", {absent} not here" if absent else "")
    due = Styled("due: tuffet renew", "yellow") if role.due else ""
    return [f"  {role.role}", f"version {role.version}", f"expires {day(role.expires)}", expiry(role.left.days), keys, due]


def _plain(report: "Status", add: list[str], gone: list[str]) -> dict[str, Any]:
    return {
        "repository": report.directory,
        "root_sha256": report.root_sha256,
        "targets": report.targets,
        "bins": report.bins,
        "roles": [
            {
                "role": role.role,
                "version": role.version,
                "expires": role.expires,
                "days_left": role.left.days,
                "threshold": role.threshold,
                "due": role.due,
                "signable": role.signable,
                "keys": [{"name": key.name, "keyid": key.keyid, "presence": key.presence} for key in role.keys],
            }
            for role in report.roles
        ],
        "pending": {"add": add, "remove": gone},
        "problems": list(report.problems),
    }
