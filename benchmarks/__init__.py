"""Budgets, measured: each command beside its reference in the same run. `make bench` prints the ratios."""
