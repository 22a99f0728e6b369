"""`python -m pipelines.duplicates`."""

import sys

from pipelines.commands.duplicates import main

if __name__ == "__main__":
    sys.exit(main())
