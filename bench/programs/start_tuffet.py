"""`start_tuffet.py CACHE`: a client that is ready, and has imported nothing that only others need."""

import sys

import tuffet

client = tuffet.Client("https://example.com/metadata/", "https://example.com/targets/", cache_dir=sys.argv[1], root=b"")
surplus = {"asyncio", "click", "http.client", "rich", "typing_extensions", "urllib3"} & set(sys.modules)
sys.exit(f"imported for nothing: {', '.join(sorted(surplus))}" if surplus else 0)
