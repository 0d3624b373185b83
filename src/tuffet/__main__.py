"""`python -m tuffet` is the command `tuffet`."""

from tuffet.cli import main

if __name__ == "__main__":
    main()
