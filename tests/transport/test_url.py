"""A URL is taken apart, never changed, and refused where it could be read in two ways."""

import pytest

from tuffet.errors import UsageError
from tuffet.transport.url import Address, parse_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://example.com", Address("http", "example.com", 80, "/")),
        ("HTTPS://Example.com/A%2fb%2F%e2", Address("https", "example.com", 443, "/A%2fb%2F%e2")),
        ("http://example.com:8080?x=/..", Address("http", "example.com", 8080, "/?x=/..")),
        ("http://[::1]:81/a//b/", Address("http", "::1", 81, "/a//b/")),
        ("http://example.com:/a...b/.c", Address("http", "example.com", 80, "/a...b/.c")),
        ("http://example.com/1.a%252Fb.json", Address("http", "example.com", 80, "/1.a%252Fb.json")),
    ],
)
def test_the_target_stays_as_it_was_given(url: str, address: Address) -> None:
    assert parse_url(url) == address


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://a:80/x", "http://a"),
        ("https://a:80/x", "https://a:80"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_the_port_is_named_where_it_is_not_the_schemes_own(url: str, origin: str) -> None:
    assert parse_url(url).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/a",
        "ftp://example.com/a",
        "http:///a",
        "http://:80/",
        "http://a:0/",
        "http://a:65536/",
        "http://a:1x/",
        "http://a:-1/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://a b/",
        "http://a/b c",
        "http://a/b\r\nHost: c",
        "http://a/\x00",
        "http://a/\x7f",
        "http://a/é",
        "http://ä/",
        "http://a/b\\c",
        "http://a/b#c",
        "http://user@a/",
        "http://user:secret@a/",
        "http://a/.",
        "http://a/../b",
        "http://a/b/..",
        "http://a/b/%2e%2E/c",
        "http://a/b/.%2e?x",
    ],
)
def test_a_url_with_two_readings_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_url(url)

    assert "secret" not in str(refused.value)
