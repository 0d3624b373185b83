"""`tuffet get`: download files, and keep them only if trusted metadata says that they are the right ones."""

import os
from datetime import datetime

import click

from tuffet.cli.options import reporting, with_instant, with_root
from tuffet.cli.output import Output, Styled, size

EXAMPLES = """\b
Examples:
  tuffet get https://example.com/ app-1.0.tar.gz
  tuffet get https://example.com/ linux/app linux/app.conf --to downloads/
  tuffet get https://example.com/ app-1.0.tar.gz --sha256 9f2c4b0a8d7e6f5c4b3a29181706f5e4d3c2b1a09f8e7d6c5b4a392817060504
"""


@click.command(epilog=EXAMPLES)
@click.argument("url")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--to", default=".", metavar="PATH", type=click.Path(), help="The directory, or the file for a single name.")
@with_root
@with_instant
@reporting
@click.pass_obj
def get(
    out: Output,
    *,
    url: str,
    names: tuple[str, ...],
    to: str,
    root_file: str | None,
    digest: str | None,
    envelope: bool,
    instant: datetime | None,
) -> None:
    """Download files, and keep them only if length and hashes are what trusted metadata says.

    A file that is there already and right is not fetched again. With --root or --sha256 a root is pinned first, as
    `tuffet trust` does.
    """
    if root_file is not None and digest is not None:
        raise click.UsageError("give --root or --sha256, not both")
    if envelope and root_file is None and digest is None:
        raise click.UsageError("--envelope is pinned together with a root: give --root or --sha256 too")
    from tuffet.cli.home import repository_url
    from tuffet.cli.searching import find_all
    from tuffet.cli.trusting import client_for, pin_first

    if len(names) > 1 and not os.path.isdir(to):
        to = os.path.join(to, "")  # Several files need a directory, so that is what is meant.
    url = repository_url(url)
    pin_first(url, out, root_file, digest, envelope=envelope)
    files = []
    with client_for(url, out, instant) as client:
        for target in find_all(client, url, names):
            with out.progress(target.path) as tick:
                file = client.download(target, to, progress=tick)
            out.say(Styled("verified", "green"), file, f"({size(target.length)}, listed by {target.role})")
            files.append({"path": target.path, "file": file, "length": target.length, "hashes": target.hashes, "role": target.role})
    out.result({"files": files})
