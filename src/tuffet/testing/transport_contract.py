"""What every transport promises, as tests: derive from `TransportContract`, say how files are served, and run pytest.

A transport of your own that passes can take the place of ours under a client.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial

from tuffet.errors import AbsentError, TooLargeError, TuffetError, UsageError
from tuffet.transport import Answer, Transport, receive


class TransportContract:
    """Tests of a transport; a derived class whose name begins with `Test` says what `serving` is."""

    def serving(self, files: Mapping[str, bytes]) -> AbstractContextManager[tuple[Transport, str]]:
        """Serve files under names that are percent-encoded as in a URL; give a transport and the URL before the names."""
        raise NotImplementedError

    def test_a_file_comes_whole(self) -> None:
        """Small, empty or of many chunks."""
        files = {"timestamp.json": b"{}", "empty": b"", "large": bytes(range(256)) * 8192}
        with self.serving(files) as (transport, url):
            for name, data in files.items():
                assert b"".join(transport.ask(f"{url}/{name}")) == data

    def test_a_name_is_asked_for_as_it_is_encoded(self) -> None:
        """A role's name may hold a slash, a target's path has real ones (specification 3.1.2)."""
        files = {"1.a%2Fb.json": b"role", "dir/1.a.json": b"target"}
        with self.serving(files) as (transport, url):
            for name, data in files.items():
                assert b"".join(transport.ask(f"{url}/{name}")) == data

    def test_asking_says_nothing_about_absence(self) -> None:
        """Only reading does, and it does so again for who asks again."""
        with self.serving({"2.root.json": b"root"}) as (transport, url):
            for _ in range(2):
                answer = transport.ask(f"{url}/3.root.json")
                _raises(AbsentError, answer.__next__)
                _raises(AbsentError, answer.__next__)
            assert b"".join(transport.ask(f"{url}/2.root.json")) == b"root"

    def test_answers_are_read_in_any_order(self) -> None:
        """However many there are."""
        files = {f"{number}.root.json": b"%d" % number for number in range(20)}
        with self.serving(files) as (transport, url):
            answers = [(transport.ask(f"{url}/{name}"), data) for name, data in files.items()]
            for answer, data in reversed(answers):
                assert b"".join(answer) == data

    def test_answers_may_be_read_alternately(self) -> None:
        """Chunk by chunk, as a client does that compares or that downloads several files at once."""
        files = {"a": b"a" * 300_000, "b": b"b" * 300_000}
        with self.serving(files) as (transport, url):
            answers = [iter(transport.ask(f"{url}/{name}")) for name in files]
            came = [b"", b""]
            while answers_left := [number for number in (0, 1) if len(came[number]) < 300_000]:
                for number in answers_left:
                    came[number] += next(answers[number])
            assert came == list(files.values())

    def test_an_abandoned_answer_never_looks_whole(self) -> None:
        """Closing it may be repeated, and does nothing to others."""
        with self.serving({"a": b"a" * 1_000_000, "b": b"b"}) as (transport, url):
            started, unread = transport.ask(f"{url}/a"), transport.ask(f"{url}/a")
            assert next(started)
            for answer in (started, unread):
                answer.close()
                answer.close()
                _raises(TuffetError, partial(b"".join, answer))
            assert b"".join(transport.ask(f"{url}/b")) == b"b"

    def test_a_limit_ends_an_answer(self) -> None:
        """Endless data (specification 1.5.2)."""
        with self.serving({"a": b"a" * 1_000_000}) as (transport, url):
            answer = transport.ask(f"{url}/a")
            _raises(TooLargeError, lambda: b"".join(receive(answer, f"{url}/a", at_most=10)))
            _raises(TuffetError, answer.__next__)

    def test_nothing_outside_is_reached(self) -> None:
        """Dot segments are refused at once or lead nowhere."""
        with self.serving({"dir/a": b"a"}) as (transport, url):
            for name in ("dir/../dir/a", "dir/%2e%2e/dir/a", "../dir/a", "%2E%2E/dir/a", "dir/./a", ".hidden"):
                _refuses(transport, f"{url}/{name}")


def _refuses(transport: Transport, url: str) -> None:
    try:
        answer: Answer = transport.ask(url)
    except UsageError:
        return
    _raises(AbsentError, answer.__next__)


def _raises(kind: type[TuffetError], action: Callable[[], object]) -> None:
    try:
        action()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was not raised")
