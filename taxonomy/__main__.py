"""`python -m taxonomy`: check, show, compare and use the taxonomy of use cases."""

import os
import sys

from taxonomy.commands import main

if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, as in `… | head`, closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
