"""`python -m benchmarks [ROUNDS]`: every row of the budget that is a command beside a reference."""

import itertools
import sys
import tempfile

from . import checking, interpret, live, long, models, pictures, recording, startup, training
from .pairs import HEADER, compare

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
print(HEADER)
with tempfile.TemporaryDirectory() as folder:
    for pair in [*startup.PAIRS, *models.pairs(folder), *pictures.pairs(folder)]:
        print(compare(pair, rounds), flush=True)
for row in itertools.chain(
    models.rows(),
    long.rows(),
    training.rows(),
    recording.rows(),
    interpret.rows(),
    checking.rows(),
    live.rows(),
):
    print(row, flush=True)
