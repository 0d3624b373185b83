"""`tuffet show`: a document, a repository's directory or a URL, readable."""

import os
from typing import TYPE_CHECKING

import click
import msgspec

from tuffet.cli.options import reporting
from tuffet.cli.output import Output, Styled

if TYPE_CHECKING:
    from tuffet.cli.examine import RoleSeen

EXAMPLES = """\b
Examples:
  tuffet show public/metadata/1.root.json
  tuffet show releases
  tuffet show https://example.com/ --json
  tuffet show linux.json --by 3.targets.json
"""


@click.command(epilog=EXAMPLES)
@click.argument("what")
@click.option("--by", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help="The document that says whose signatures count.")
@reporting
@click.pass_obj
def show(out: Output, *, what: str, by: str | None) -> None:
    """Make metadata readable: a document, the directory of a repository, or a URL.

    Showing is not believing: nothing is kept, and what is wrong is shown and not refused.
    """
    complete = True
    if os.path.isfile(what):
        from tuffet.cli.show_document import look_at

        seen, basis = [look_at(what, by)], "the document alone" if by is None else by
        basis = seen[0].by or "nobody: it is not known whose signatures count"
    else:
        if by is not None:
            raise click.UsageError("--by belongs to a single document")
        from tuffet.cli.show_repository import look_at_repository

        seen, basis, complete = look_at_repository(what)
        if "not pinned" in basis:
            out.warn("no root is pinned for this repository: what is shown is what it says of itself")
    out.say(f"{what}: judged by {basis}")
    from tuffet.cli.show_text import describe

    for role in seen:
        describe(role, out)
    if not complete:
        out.say(Styled("not all delegated roles are shown", "yellow"))
    out.result({"source": what, "basis": basis, "complete": complete, "roles": [_plain(role) for role in seen]})


def _plain(role: "RoleSeen") -> dict[str, object]:
    shown: dict[str, object] = msgspec.to_builtins(role)
    return shown
