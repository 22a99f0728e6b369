"""`python -m pipelines.card`."""

import sys

from pipelines.report.card import main

if __name__ == "__main__":
    sys.exit(main())
