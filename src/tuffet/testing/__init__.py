"""The public test kit: contracts that every implementation keeps, and machines that stop at will."""
