"""The commands by name: a static table, from which `tuffet --help` is written, and each imported only when it is called."""

from importlib import import_module
from typing import Any, Final

import click

SECTIONS: Final = {
    "Publish": {
        "init": ("init_command:init", "Make a repository with its keys, and publish its empty version 1."),
        "add": ("change_commands:add", "Note files that shall be published."),
        "remove": ("change_commands:remove", "Note targets that shall no longer be listed."),
        "publish": ("change_commands:publish", "Sign and publish what was added and removed."),
        "status": ("keep_commands:status", "Show what is published, what waits, and what expires when."),
        "renew": ("keep_commands:renew", "Sign again what expires soon."),
        "serve": ("serve_command:serve", "Serve the public files, and print what to type on the other machine."),
    },
    "Download": {
        "trust": ("trust_command:trust", "Pin the root by which everything from a URL is judged."),
        "get": ("get_command:get", "Download files, and keep them only if they may be believed."),
        "list": ("find_commands:list_targets", "List the targets that may be believed."),
        "explain": ("find_commands:explain", "Tell which roles were asked about a name, and what each said."),
        "show": ("show_command:show", "Make a document, a repository or a URL readable."),
    },
    "Other": {
        "completion": ("other_commands:completion", "Print the completion script for a shell."),
        "help": ("other_commands:help_command", "Explain a command."),
    },
}
"""Section, name, where it is (module and attribute in this package), and its one line of help."""

_PLACES: Final = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class Commands(click.Group):
    """A group that knows its commands by the table above."""

    @staticmethod
    def knows(name: str) -> bool:
        """Return whether there is such a command."""
        return name in _PLACES

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click calls it so
        """Return the names in the table's order."""
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click calls it so
        """Import the command."""
        if cmd_name not in _PLACES:
            return None
        module, _, attribute = _PLACES[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"tuffet.cli.{module}"), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse a name that is not in the table with the names that it may have meant."""
        if args[0] not in _PLACES and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=_PLACES, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click calls it so
        """Write the table, for which nothing needs to be imported."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()], col_max=14)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete names from the table."""
        from click.shell_completion import CompletionItem

        named = [CompletionItem(name, help=text) for name, (_, text) in _PLACES.items() if name.startswith(incomplete)]
        return named + click.Command.shell_complete(self, ctx, incomplete)


EPILOG: Final = """\b
From nothing to a verified download:
  tuffet init releases; cd releases
  tuffet publish ../app-1.0.tar.gz
  tuffet serve
  tuffet get http://127.0.0.1:8000/ app-1.0.tar.gz --sha256 DIGEST
"""


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  click's own signature
    if wanted and not ctx.resilient_parsing:
        from tuffet import __version__

        click.echo(f"tuffet {__version__}")
        ctx.exit()


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version.")
def tuffet() -> None:
    """Publish software updates, and download only what may be believed, with The Update Framework."""
