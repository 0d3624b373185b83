"""The actor that believes and downloads."""

from tuffet.client.cache import Cache
from tuffet.client.client import Client
from tuffet.client.driver import Speed
from tuffet.client.target import Explanation, Target

__all__ = ["Cache", "Client", "Explanation", "Speed", "Target"]
