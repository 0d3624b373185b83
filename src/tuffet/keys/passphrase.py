"""Where a passphrase comes from: a descriptor, the environment, or whoever is asked, in this order.

The library never prompts; a face hands in what does. No passphrase is part of a message, a log or a repr.
"""

import os
from collections.abc import Callable, Mapping
from typing import Final

from tuffet.errors import SigningError

VARIABLE: Final = "TUFFET_PASSPHRASE"
MAX_BYTES: Final = 1024


def find_passphrase(
    name: str,
    *,
    descriptor: int | None = None,
    environment: Mapping[str, str] | None = None,
    prompt: Callable[[str], str] | None = None,
    new: bool = False,
) -> str:
    """Return the passphrase of the key with this name; a source that is there but empty is refused, not passed over (B063).

    Where the passphrase is for `new` keys, the name is only what they are called: no variable is named after it.
    """
    cure = "give one that is not" if new else "give the one the key was encrypted with"
    environment = os.environ if environment is None else environment
    if descriptor is not None:
        return _filled(_first_line(descriptor), f"file descriptor {descriptor}", cure)
    for variable in (VARIABLE,) if new else (variable_for(name), VARIABLE):
        if variable in environment:
            return _filled(environment[variable], f"the environment variable {variable}", cure)
    if prompt is None:
        problem = f"{name} need a passphrase and nobody gave one" if new else f"key {name} is encrypted and nobody gave its passphrase"
        raise SigningError(f"{problem}: set {VARIABLE if new else variable_for(name)}, or hand it in on a file descriptor")
    return _filled(prompt(name), "what was typed", cure)


def variable_for(name: str) -> str:
    """Return the environment variable for one key: `TUFFET_PASSPHRASE_RELEASE_2` for `release-2`."""
    return f"{VARIABLE}_" + "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).upper()


def _filled(passphrase: str, source: str, cure: str) -> str:
    if not passphrase.strip():
        raise SigningError(f"the passphrase from {source} is empty: {cure}")
    return passphrase


def _first_line(descriptor: int) -> str:
    line = bytearray()
    try:
        # Byte by byte, so that the next line is still there for the next key.
        while len(line) <= MAX_BYTES and (byte := os.read(descriptor, 1)) not in {b"", b"\n"}:
            line += byte
    except OSError as error:
        raise SigningError(f"file descriptor {descriptor} cannot be read for a passphrase: {(error.strerror or '').lower()}") from error
    if len(line) > MAX_BYTES:
        raise SigningError(f"file descriptor {descriptor} gave more than {MAX_BYTES} bytes without a line's end: that is no passphrase")
    try:
        return line.decode().removesuffix("\r")
    except UnicodeDecodeError:
        # The cause is left out, because that exception carries the bytes.
        raise SigningError(f"the passphrase from file descriptor {descriptor} is not UTF-8") from None
