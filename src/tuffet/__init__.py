"""tuffet makes software updates trustworthy with The Update Framework: documents, client, repository and service in one.

`tuffet.Client` downloads only what may be believed; `tuffet.Repository` makes, signs and publishes; `tuffet.errors` is
everything that either raises. Names are imported when they are first used, because programs that start often feel it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuffet.client import Client, Explanation, Speed, Target
    from tuffet.errors import TuffetError
    from tuffet.repository import Repository
    from tuffet.trust.steps import Limits

__all__ = ["Client", "Explanation", "Limits", "Repository", "Speed", "Target", "TuffetError", "__version__"]

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("Client", "Explanation", "Speed", "Target"), "tuffet.client"),
    "Limits": "tuffet.trust.steps",
    "Repository": "tuffet.repository",
    "TuffetError": "tuffet.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tuffet' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
