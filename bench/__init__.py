"""How fast tuffet is, beside the others: `python -m bench` measures both in one run, and only the ratio is a promise."""
