"""How long the long proofs are: whole in `make proof`, smaller everywhere else."""

import os

WHOLE = bool(os.environ.get("PROOF"))
FUZZED_STRINGS = 10_000 if WHOLE else 1_500
EXAMPLES = 200 if WHOLE else 20
