"""Which documents may be believed (specification 5): pure functions and generators, no disk, no wire, no clock."""
