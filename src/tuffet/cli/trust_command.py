"""`tuffet trust`: pin the root that everything from a URL is judged by."""

import click

from tuffet.cli.options import reporting, with_root
from tuffet.cli.output import Output

EXAMPLES = """\b
Examples:
  tuffet trust https://example.com/ --sha256 9f2c4b0a8d7e6f5c4b3a29181706f5e4d3c2b1a09f8e7d6c5b4a392817060504
  tuffet trust https://example.com/ --root root.json --target-url https://cdn.example.com/files/
"""


@click.command(epilog=EXAMPLES)
@click.argument("url")
@with_root
@click.option("--on-first-use", is_flag=True, help="Believe what the server offers now; whoever controls the network today wins.")
@click.option("--metadata-url", metavar="URL", help="Where the metadata is, if not in URL/metadata/.")
@click.option("--target-url", metavar="URL", help="Where the targets are, if not in URL/targets/.")
@click.option("--replace", is_flag=True, help="Forget the root pinned for this URL, and all that was believed because of it.")
@reporting
@click.pass_obj
def trust(
    out: Output,
    *,
    url: str,
    root_file: str | None,
    digest: str | None,
    on_first_use: bool,
    metadata_url: str | None,
    target_url: str | None,
    envelope: bool,
    replace: bool,
) -> None:
    """Pin the root that everything else from a URL is judged by.

    Get the root or its digest from the publisher by a way that the server cannot change. Exactly one of --root, --sha256
    and --on-first-use is needed.
    """
    if sum((root_file is not None, digest is not None, on_first_use)) != 1:
        raise click.UsageError("give exactly one of --root FILE, --sha256 DIGEST and --on-first-use")
    from tuffet.cli.home import repository_url
    from tuffet.cli.trusting import described, fetch_root, keep, read_root, require_digest

    url = repository_url(url)
    metadata_url = repository_url(metadata_url) if metadata_url else f"{url}metadata/"
    target_url = repository_url(target_url) if target_url else f"{url}targets/"
    root = read_root(root_file) if root_file else fetch_root(metadata_url)
    if digest is not None:
        require_digest(root, digest)
    offered = described(url, root, metadata_url=metadata_url, target_url=target_url, envelope=envelope)
    changed = keep(offered, root, replace=replace)
    if on_first_use and changed:
        out.warn(f"nobody vouched for this root: compare its SHA-256 with what the publisher says: {offered.root_sha256}")
    out.say(f"{'pinned' if changed else 'already pinned:'} root version {offered.root_version} of {url}")
    out.say(f"  sha256 {offered.root_sha256}")
    out.result(
        {
            "url": offered.url,
            "metadata_url": offered.metadata_url,
            "target_url": offered.target_url,
            "root_version": offered.root_version,
            "root_sha256": offered.root_sha256,
            "changed": changed,
        }
    )
