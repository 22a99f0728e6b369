"""`python -m taxonomy`: check, show, compare and use the taxonomy of use cases."""

import os
import sys

from taxonomy.commands import main

if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # `… | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
