"""Passphrases come from where they were put, in a fixed order, and show up nowhere."""

import os
import traceback

import pytest

from tuffet.errors import SigningError
from tuffet.keys.passphrase import MAX_BYTES, find_passphrase, variable_for


def pipe(data: bytes) -> int:
    """Return a descriptor from which the data can be read."""
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    return read


def refuse_to_ask(name: str) -> str:
    raise AssertionError(name)


def test_the_order_is_fixed() -> None:
    """The descriptor, then the key's own variable, then the common one, then whoever is asked."""
    both = {"TUFFET_PASSPHRASE": "common", "TUFFET_PASSPHRASE_ROOT_1": "own"}
    descriptor = pipe(b"piped\n")
    assert find_passphrase("root-1", descriptor=descriptor, environment=both, prompt=refuse_to_ask) == "piped"
    assert find_passphrase("root-1", environment=both, prompt=refuse_to_ask) == "own"
    assert find_passphrase("targets", environment=both, prompt=refuse_to_ask) == "common"
    assert find_passphrase("targets", environment={}, prompt=lambda name: f"typed for {name}") == "typed for targets"
    os.close(descriptor)


def test_the_environment_is_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless another mapping is handed in."""
    monkeypatch.setenv("TUFFET_PASSPHRASE_ROOT", "secret")
    assert find_passphrase("root") == "secret"


def test_a_name_becomes_a_variable() -> None:
    """Whatever a shell could not spell becomes an underscore."""
    names = {"root": "ROOT", "release-2.key": "RELEASE_2_KEY", "ünï": "_N_", "a b": "A_B"}
    assert {name: variable_for(name) for name in names} == {name: f"TUFFET_PASSPHRASE_{end}" for name, end in names.items()}


def test_one_descriptor_serves_several_keys() -> None:
    """Each takes one line, and nothing is read beyond it; the last line needs no end."""
    descriptor = pipe("first\nzweite ünï\r\n spaces stay \nlast".encode())
    found = [find_passphrase("key", descriptor=descriptor) for _ in range(4)]
    assert found == ["first", "zweite ünï", " spaces stay ", "last"]
    with pytest.raises(SigningError, match="is empty"):
        find_passphrase("key", descriptor=descriptor)
    os.close(descriptor)


def test_nobody_knows_it() -> None:
    """The message says which variable to set."""
    with pytest.raises(SigningError, match="key root is encrypted and nobody gave its passphrase: set TUFFET_PASSPHRASE_ROOT"):
        find_passphrase("root", environment={})


def test_new_keys_have_no_name_yet() -> None:
    """Only the common variable counts for them, and messages speak of them as new."""
    named = {"TUFFET_PASSPHRASE_THE_NEW_KEYS": "own"}
    with pytest.raises(SigningError, match="the new keys need a passphrase and nobody gave one: set TUFFET_PASSPHRASE, or"):
        find_passphrase("the new keys", environment=named, new=True)
    with pytest.raises(SigningError, match="TUFFET_PASSPHRASE is empty: give one that is not"):
        find_passphrase("the new keys", environment={"TUFFET_PASSPHRASE": " "}, new=True)
    assert find_passphrase("the new keys", environment={"TUFFET_PASSPHRASE": "common"}, new=True) == "common"


@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_an_empty_source_is_refused_and_not_passed_over(empty: str) -> None:
    """A secret that was not filled in is an accident, and the next source may hold another key's passphrase (B063)."""
    environment = {"TUFFET_PASSPHRASE_ROOT": empty, "TUFFET_PASSPHRASE": "common"}
    with pytest.raises(SigningError, match="variable TUFFET_PASSPHRASE_ROOT is empty"):
        find_passphrase("root", environment=environment, prompt=refuse_to_ask)
    with pytest.raises(SigningError, match="what was typed is empty"):
        find_passphrase("root", environment={}, prompt=lambda _: empty)


def test_a_descriptor_that_is_none() -> None:
    """One that is closed, one that gives no text, and one that never ends a line."""
    descriptor = pipe(b"")
    os.close(descriptor)
    with pytest.raises(SigningError, match="cannot be read for a passphrase: bad file descriptor"):
        find_passphrase("root", descriptor=descriptor)
    for data, message in ((b"x" * (MAX_BYTES + 1), "more than 1024 bytes"), (b"s3cret\xff\n", "is not UTF-8")):
        descriptor = pipe(data)
        with pytest.raises(SigningError, match=message) as refused:
            find_passphrase("root", descriptor=descriptor)
        os.close(descriptor)
        shown = "".join(traceback.format_exception(refused.value))
        assert "s3cret" not in shown
        assert refused.value.__cause__ is None
