"""`tuffet completion` and `tuffet help`."""

import click

from tuffet.cli.commands import tuffet

COMPLETION_EXAMPLES = """\b
Examples:
  eval "$(tuffet completion bash)"
  tuffet completion fish > ~/.config/fish/completions/tuffet.fish
"""

HELP_EXAMPLES = """\b
Examples:
  tuffet help publish
"""


@click.command(epilog=COMPLETION_EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  click knows these three
    click.echo(kind(tuffet, {}, "tuffet", "_TUFFET_COMPLETE").source())


@click.command("help", epilog=HELP_EXAMPLES)
@click.argument("command", required=False)
@click.pass_context
def help_command(ctx: click.Context, command: str | None) -> None:
    """Explain a command."""
    root = ctx.find_root()
    if command is None:
        click.echo(root.get_help())
        return
    _, found, _ = tuffet.resolve_command(root, [command])
    assert found is not None  # noqa: S101  resolve_command raises for a name that is in no table
    click.echo(found.get_help(click.Context(found, info_name=command, parent=root)))
