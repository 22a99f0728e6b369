"""`python -m taxonomy`: check, show, compare and use the taxonomy of use cases."""

import sys

from taxonomy.commands import main

if __name__ == "__main__":
    sys.exit(main())
