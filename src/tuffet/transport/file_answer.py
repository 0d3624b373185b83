"""An answer that is read from a file: what local transports give."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from tuffet.errors import AbsentError, TransportError

_BLOCK_BYTES = 1 << 18


class FileAnswer:
    """The bytes of a file, which is opened when it is first read; see `Answer`."""

    def __init__(self, url: str, opener: Callable[[], BinaryIO | None]) -> None:
        self._url, self._opener = url, opener
        self._file: BinaryIO | None = None
        self._over = False
        self._failure: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._over:
            raise self._failure or StopIteration()
        try:
            if self._file is None:
                self._file = self._opener()
            piece = None if self._file is None else self._file.read(_BLOCK_BYTES)
        except OSError as error:
            failure = TransportError(self._url, f"reading failed: {(error.strerror or str(error)).lower()}")
            self._end(failure)
            raise failure from error
        except Exception as error:
            self._end(error)
            raise
        if piece:
            return piece
        self._end(AbsentError(self._url, 404) if piece is None else None)
        raise self._failure or StopIteration()

    def close(self) -> None:
        """Abandon the answer."""
        if not self._over:
            self._end(TransportError(self._url, "the answer was closed before it had come whole"))

    def __del__(self) -> None:
        if not getattr(self, "_over", True):
            self.close()

    def _end(self, failure: Exception | None) -> None:
        self._over, self._failure = True, failure
        file, self._file = self._file, None
        if file is not None:
            file.close()
