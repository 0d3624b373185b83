"""`tuffet add`, `tuffet remove` and `tuffet publish`: what the world is going to see."""

from typing import TYPE_CHECKING, Any

import click

from tuffet.cli.options import F, in_repository, reporting, with_passphrase
from tuffet.cli.output import Output, Styled, count, size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tuffet.repository import Change, Repository

ADD_EXAMPLES = """\b
Examples:
  tuffet add dist/app-1.0.tar.gz
  tuffet add dist/ --prefix linux/
  tuffet add build/out.bin --as app-1.0.bin --custom '{"channel": "beta"}'
"""

REMOVE_EXAMPLES = """\b
Examples:
  tuffet remove app-0.9.tar.gz
"""

PUBLISH_EXAMPLES = """\b
Examples:
  tuffet publish
  tuffet publish dist/app-1.0.tar.gz
  tuffet publish dist/ --prefix linux/ --passphrase-fd 3 3<passphrase.txt
"""

_MOST_SHOWN = 20


def with_names(command: F) -> F:
    """Add the options that say how files are called as targets, and what is said of them."""
    name = click.option("--as", "name", metavar="NAME", help="The target's name, for a single file.")
    prefix = click.option("--prefix", default="", metavar="PREFIX", help="Put this before every name: linux/")
    custom = click.option("--custom", metavar="JSON", help="Data for the application, a JSON object.")
    return name(prefix(custom(command)))


@click.command(epilog=ADD_EXAMPLES)
@click.argument("files", metavar="FILE_OR_DIR...", nargs=-1, required=True, type=click.Path())
@with_names
@in_repository
@reporting
@click.pass_obj
def add(out: Output, *, files: tuple[str, ...], name: str | None, prefix: str, custom: str | None, directory: str | None) -> None:
    """Note files that the next publish shall publish; one that is listed already is replaced.

    Files below a directory are named by their path below it, hidden ones are left out.
    """
    from tuffet.cli.repository import open_repository

    added = _add(open_repository(directory), out, files, name, prefix, custom)
    out.say(f"{count(len(added), 'file')} will be published by `tuffet publish`")
    out.result({"added": _listed(added)})


@click.command(epilog=REMOVE_EXAMPLES)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@in_repository
@reporting
@click.pass_obj
def remove(out: Output, *, names: tuple[str, ...], directory: str | None) -> None:
    """Note that the next publish shall no longer list these targets."""
    from tuffet.cli.removing import require_listed
    from tuffet.cli.repository import open_repository

    repository = open_repository(directory)
    require_listed(repository, names)
    repository.remove(*names)
    out.say(f"{count(len(names), 'target')} will be removed by `tuffet publish`")
    out.result({"removed": list(names)})


@click.command(epilog=PUBLISH_EXAMPLES)
@click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path())
@with_names
@with_passphrase
@in_repository
@reporting
@click.pass_obj
def publish(
    out: Output,
    *,
    files: tuple[str, ...],
    name: str | None,
    prefix: str,
    custom: str | None,
    descriptor: int | None,
    directory: str | None,
) -> None:
    """Sign and publish what was added and removed; with files, add them first.

    What is published is first verified as a client would. If somebody else published meanwhile, it starts again from
    what they published.
    """
    if not files and (name is not None or prefix or custom is not None):
        raise click.UsageError("--as, --prefix and --custom say how files are called, and none was given")
    from tuffet.cli.passphrases import TypedKeys
    from tuffet.cli.repository import open_repository

    repository = open_repository(directory)
    if files:
        _add(repository, out, files, name, prefix, custom)
    keys = TypedKeys(repository, descriptor)
    with out.progress("publishing") as tick:
        published = repository.publish(keys, progress=tick)
    if published.roles:
        roles = ", ".join(f"{role} {version}" for role, version in published.roles.items() if "-" not in role)
        out.say(Styled("published", "green"), f"{count(len(published.added), 'file')}, removed {len(published.removed)}: {roles}")
    else:
        out.say("there is nothing new to publish")
    out.result(
        {
            "published": bool(published.roles),
            "roles": published.roles,
            "added": _listed(published.added),
            "removed": list(published.removed),
        }
    )


def _add(
    repository: "Repository", out: Output, files: tuple[str, ...], name: str | None, prefix: str, custom: str | None
) -> "tuple[Change, ...]":
    from tuffet.cli.adding import additions

    wanted = additions(files, name, prefix, custom)
    with out.progress("adding") as tick:
        added = repository.add_many(wanted, progress=tick)
    for change in added[:_MOST_SHOWN]:
        out.say("added", change.path, f"({size(change.file.length if change.file else 0)})")
    if len(added) > _MOST_SHOWN:
        out.say(f"and {len(added) - _MOST_SHOWN} more")
    return added


def _listed(changes: "Iterable[Change]") -> list[dict[str, Any]]:
    return [{"path": change.path, "length": change.file.length, "hashes": change.file.hashes.known()} for change in changes if change.file]
