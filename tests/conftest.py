"""What all tests share."""

import ctypes
import os
import sys
from collections.abc import Iterator

import pytest

_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2
_VERSION_3 = 0x20080522


@pytest.fixture
def mere_mortal() -> Iterator[None]:
    """Permissions bind whoever runs the test: on Linux even root, who lays the power to ignore them down for a while."""
    if os.name == "nt":
        pytest.skip("SKIPPED: Windows has other permissions than these tests speak of")
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("SKIPPED: root ignores permissions here; run the tests as another user")
    libc = ctypes.CDLL(None, use_errno=True)
    header, held = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, held) == 0
    less = (ctypes.c_uint32 * 6)(*held)
    less[0] &= ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH)
    assert libc.capset(header, less) == 0
    yield
    assert libc.capset(header, held) == 0
