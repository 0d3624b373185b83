"""`tuffet init`: a repository with its keys, its empty version 1 published."""

import os
import shlex

import click

from tuffet.cli.options import reporting, with_passphrase
from tuffet.cli.output import Output, Styled
from tuffet.errors import UsageError

EXAMPLES = """\b
Examples:
  tuffet init releases
  tuffet init releases --bins 256 --passphrase-fd 3 3<passphrase.txt
  tuffet init trial --no-passphrase
"""


@click.command(epilog=EXAMPLES)
@click.argument("directory", metavar="DIR", type=click.Path())
@click.option("--bins", metavar="N", type=int, help="Spread the targets over N roles (a power of two), for very many files.")
@click.option("--scheme", default="ed25519", show_default=True, help="The signature scheme of the new keys.")
@click.option("--envelope", is_flag=True, help="Write DSSE envelopes (TAP 17); clients must be told.")
@click.option("--no-passphrase", is_flag=True, help="Keep the keys unencrypted, for trials or on guarded disks.")
@with_passphrase
@reporting
@click.pass_obj
def init(
    out: Output, *, directory: str, bins: int | None, scheme: str, envelope: bool, no_passphrase: bool, descriptor: int | None
) -> None:
    """Make a repository in a directory that is new or empty.

    It gets tuffet.toml, keys/ (private: back it up) and public/, which any web server can serve; the empty version 1 is
    published at once. The keys are encrypted with a passphrase, asked for twice.
    """
    if no_passphrase and descriptor is not None:
        raise click.UsageError("--no-passphrase and --passphrase-fd exclude each other")
    if os.path.isdir(directory) and os.listdir(directory):
        raise UsageError(f"{directory} exists and is not empty: name a directory that is new")
    from tuffet.cli.passphrases import Passphrases
    from tuffet.keys.schemes import scheme_named
    from tuffet.repository import Choices, NewKeyFiles, Repository, parse_policy
    from tuffet.repository.policy_text import policy_text

    # Mistakes are told before anybody has to think of a passphrase.
    scheme_named(scheme)
    choices = Choices(envelope="dsse" if envelope else "tuf-json", bins=bins)
    parse_policy(policy_text(choices))
    passphrase = None if no_passphrase else Passphrases(descriptor).new()
    out.say("making keys ...")
    repository = Repository.create(directory, NewKeyFiles(passphrase, unencrypted=no_passphrase, scheme=scheme), choices)
    digest = repository.policy.repository.root_sha256
    place = shlex.quote(directory)
    out.say(Styled("made", "green"), f"the repository {directory}; its empty version 1 is published in {repository.public}")
    out.say(f"  {directory}/keys is private: back it up now, for without it nothing can ever be published again")
    out.say(f"  root sha256 {digest}")
    out.say("next:")
    out.say(f"  tuffet publish FILE -C {place}")
    out.say(f"  tuffet serve -C {place}")
    out.result({"repository": directory, "public": str(repository.public), "root_sha256": digest})
