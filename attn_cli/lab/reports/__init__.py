"""Verdicts as graders read them: one function per format, from verdicts to bytes, and the table of tsv and csv."""

from . import gradescope, junit, plain, prairielearn
from .registered import REPORTS
from .table import COLUMNS, table

__all__ = ["COLUMNS", "REPORTS", "gradescope", "junit", "plain", "prairielearn", "table"]
