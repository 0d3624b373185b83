"""The face at the terminal: `tuffet`, its commands, prompts, progress and errors. Nothing below prints or asks."""

import signal
import sys


def main() -> None:
    """Run the command line and end the process with its exit status."""
    # Ctrl-C may come at any time, so also while modules are still being imported.
    try:
        from tuffet.cli.program import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    # All is done. Whoever presses Ctrl-C now shall not see how Python ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)
