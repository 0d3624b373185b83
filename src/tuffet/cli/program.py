"""One run of the command line, from its arguments to its exit status. Whatever goes wrong ends here, as a sentence."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from tuffet.cli.commands import Commands, tuffet
from tuffet.cli.errors import Status, as_json, attack_sentence, hints_for, message_of, status_of
from tuffet.cli.output import Output, Styled
from tuffet.errors import TuffetError

_COMPLETE = "_TUFFET_COMPLETE"


def run(arguments: Sequence[str], commands: Commands = tuffet) -> int:
    """Run one command and return the exit status."""
    _require_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows few letters shall show the others escaped, not end the run.
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if _COMPLETE in os.environ:
        commands.main(list(arguments), prog_name="tuffet", complete_var=_COMPLETE)
    output = Output()
    # An error in the arguments themselves is told as JSON too, wherever in them that was asked for.
    output.as_json = "--json" in arguments
    try:
        status = _guarded(commands, arguments, output)
        sys.stdout.flush()
    except BrokenPipeError:
        status = Status.READER_GONE
    except OSError as error:
        status = _report(error, arguments, output)
    _silence()
    return status


def _require_streams() -> None:
    """Open what whoever started us had closed, or the first file that we open would take its place."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115  as long as we live


def _guarded(commands: Commands, arguments: Sequence[str], output: Output) -> int:
    try:
        return _invoke(commands, arguments, output)
    except (KeyboardInterrupt, click.Abort):
        _say_interrupted(output)
        return Status.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  nothing may end as a traceback
        return _report(error, arguments, output)


def _invoke(commands: Commands, arguments: Sequence[str], output: Output) -> int:
    try:
        with commands.make_context("tuffet", list(arguments), obj=output) as context:
            result = commands.invoke(context)
            return result if isinstance(result, int) else Status.DONE
    except click.exceptions.Exit as end:
        return end.exit_code


def _report(error: Exception, arguments: Sequence[str], output: Output) -> int:
    if os.environ.get("TUFFET_DEBUG", "0") not in {"", "0"}:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, click.ClickException):
        return _report_usage(error, output)
    status = status_of(error)
    hints = hints_for(error)
    if status is Status.USAGE and not hints:
        hints = [f"`tuffet{''.join(f' {name}' for name in arguments[:1] if Commands.knows(name))} --help` explains it with examples"]
    if output.as_json:
        output.problem(as_json(error, hints))
        return status
    if status is Status.BUG and not isinstance(error, TuffetError):
        output.complain(Styled("error:", "red"), f"tuffet has a bug: {type(error).__name__}: {message_of(error)}")
        output.complain(Styled("hint:", "cyan"), "please report it, with what the same command prints when TUFFET_DEBUG=1 is set")
        return status
    output.complain(Styled("error:", "red"), message_of(error))
    if (attack := attack_sentence(error)) is not None:
        output.complain(f"  {attack}")
    for hint in hints:
        output.complain(Styled("hint:", "cyan"), hint)
    return status


def _report_usage(error: click.ClickException, output: Output) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return Status.USAGE
    message = error.format_message()
    message = message[:1].lower() + message[1:].removesuffix(".")
    hint = f"`{context.command_path if context else 'tuffet'} --help` explains it with examples"
    if output.as_json:
        shown = {"kind": "UsageError", "message": message, "status": int(Status.USAGE), "attack": None, "hints": [hint]}
        output.problem({"error": shown})
    else:
        output.complain(Styled("error:", "red"), message)
        output.complain(Styled("hint:", "cyan"), hint)
    return Status.USAGE


def _say_interrupted(output: Output) -> None:
    if output.as_json:
        error = {"kind": "Interrupted", "message": "interrupted", "status": int(Status.INTERRUPTED), "attack": None, "hints": []}
        output.problem({"error": error})
        return
    if sys.stderr.isatty():
        click.echo(err=True)  # The terminal's own ^C stands on this line.
    output.complain("interrupted: nothing is half done, and the same command may be run again")


def _silence() -> None:
    """Drop what nobody reads any more: Python would write it once more when it ends, and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
