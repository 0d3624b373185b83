"""Instants as TUF writes them (specification 4.2.2), and when metadata is past its time.

Read are the forms that real repositories write: `Z` or an offset, and up to nine digits of a fraction. Written is only
`YYYY-MM-DDTHH:MM:SSZ`. The instant of expiry itself counts as expired.
"""

import re
from datetime import UTC, datetime
from typing import Final

from tuffet.errors import FormatError

_FORM: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")


def parse_time(text: str, where: str = "expires") -> datetime:
    """Return an aware instant in UTC; what lies beyond microseconds is cut, never rounded up."""
    if not _FORM.fullmatch(text):
        raise FormatError(where, f"{text[:40]!r} is no date-time like 2030-01-01T00:00:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FormatError(where, f"{text[:40]!r} is no date-time that exists") from error


def encode_time(instant: datetime) -> str:
    """Return the instant in whole seconds with `Z`; an instant without a time zone is the caller's mistake."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    # strftime would write the year 987 with three digits.
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
