"""`python -m pipelines.refit`."""

import sys

from pipelines.commands.refit import main

if __name__ == "__main__":
    sys.exit(main())
