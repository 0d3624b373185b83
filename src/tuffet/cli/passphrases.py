"""Passphrases as people give them: each asked for when the first key needs it, and only once in a run.

A key is first tried with what was given for another one, because most repositories have one passphrase for all keys.
"""

import sys
from collections.abc import Callable
from typing import NoReturn

import click

from tuffet.cli.own_errors import NoPassphraseError
from tuffet.errors import SigningError
from tuffet.keys.files import KeyFile
from tuffet.keys.passphrase import find_passphrase
from tuffet.keys.signer import Signer
from tuffet.repository import KeyFiles, Repository


class Passphrases:
    """What was given in this run. `descriptor` is where `--passphrase-fd` says they come from."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor
        self._given: list[str] = []
        self._refused: SigningError | None = None

    def new(self) -> str:
        """Return the passphrase for new keys, asked for twice at a terminal."""
        # Whoever cannot be asked may still have said it elsewhere; only then is it missing.
        ask = _ask_twice if _can_ask() else _ask_nobody
        return find_passphrase("the new keys", descriptor=self._descriptor, prompt=ask, new=True)

    def unlock(self, name: str, file: KeyFile) -> Signer:
        """Return the signer of a key file; SigningError if no passphrase opens it."""
        if not file.encrypted:
            return file.unlock()
        for passphrase in self._given:
            try:
                return file.unlock(passphrase)
            except SigningError:
                continue  # It is that of another key.
        passphrase = self._find(name, _ask if self._refused is None else self._refuse)
        try:
            signer = file.unlock(passphrase)
        except SigningError as error:
            # Whoever mistyped is told so at once, and not asked for the next key's first.
            self._refused = error
            raise
        self._given.append(passphrase)
        return signer

    def ask(self, name: str) -> str:
        """Return the passphrase of a key."""
        return self._find(name, _ask)

    def _find(self, name: str, ask: Callable[[str], str]) -> str:
        return find_passphrase(name, descriptor=self._descriptor, prompt=ask if _can_ask() else None)

    def _refuse(self, _: str) -> NoReturn:
        raise self._refused or SigningError("the passphrase was wrong")


class TypedKeys(KeyFiles):
    """The key files of a repository, opened with what somebody gives in this run."""

    def __init__(self, repository: Repository, descriptor: int | None) -> None:
        self._passphrases = Passphrases(descriptor)
        super().__init__(repository.directory, repository.policy, self._passphrases.ask)

    def unlock(self, name: str, file: KeyFile) -> Signer:
        """Return what signs with a key file."""
        return self._passphrases.unlock(name, file)


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(name: str) -> str:
    return _typed(f"Passphrase of key {name}")


def _ask_twice(_: str) -> str:
    first = _typed("Passphrase for the new keys")
    if first and first != _typed("The same once more"):
        raise SigningError("the two passphrases differ, so nothing was made: try again")
    return first


def _ask_nobody(name: str) -> NoReturn:
    raise NoPassphraseError(name)


def _typed(question: str) -> str:
    return str(click.prompt(question, hide_input=True, err=True, default="", show_default=False))
