"""`tuffet list` and `tuffet explain`: what may be believed to be there, and why."""

import fnmatch
from datetime import datetime

import click
import msgspec

from tuffet.cli.options import reporting, with_instant
from tuffet.cli.output import Output, Part, columns, size

LIST_EXAMPLES = """\b
Examples:
  tuffet list https://example.com/
  tuffet list https://example.com/ '*.tar.gz' --json
"""

EXPLAIN_EXAMPLES = """\b
Examples:
  tuffet explain https://example.com/ app-1.0.tar.gz
"""


@click.command("list", epilog=LIST_EXAMPLES)
@click.argument("url")
@click.argument("pattern", required=False)
@with_instant
@reporting
@click.pass_obj
def list_targets(out: Output, *, url: str, pattern: str | None, instant: datetime | None) -> None:
    """List the targets that may be believed.

    PATTERN is a shell pattern, to be given in quotes; * also matches /.
    """
    from tuffet.cli.home import repository_url
    from tuffet.cli.trusting import client_for

    with client_for(repository_url(url), out, instant) as client:
        targets = [target for target in client.targets() if pattern is None or fnmatch.fnmatchcase(target.path, pattern)]
    targets.sort(key=lambda target: target.path)
    rows: list[list[Part]] = [[target.path, size(target.length), target.role] for target in targets]
    for row in columns(rows):
        out.answer(*row)
    if not targets:
        out.say("there are no targets" if pattern is None else f"no target matches {pattern!r}")
    out.result({"targets": [msgspec.to_builtins(target) for target in targets]})


@click.command(epilog=EXPLAIN_EXAMPLES)
@click.argument("url")
@click.argument("name")
@with_instant
@reporting
@click.pass_obj
def explain(out: Output, *, url: str, name: str, instant: datetime | None) -> None:
    """Tell which roles were asked about a name, in order, and what each said."""
    from tuffet.cli.home import repository_url
    from tuffet.cli.trusting import client_for

    with client_for(repository_url(url), out, instant) as client:
        told = client.explain(name)
    for sentence in told.sentences():
        out.answer(sentence)
    target = told.target
    out.answer(f"So {name!r} is what {target.role} says of it." if target else f"So there is no target {name!r}.")
    visits = [msgspec.to_builtins(visit) for visit in told.visits]
    out.result({"path": name, "found": target is not None, "role": target.role if target else None, "visits": visits})
