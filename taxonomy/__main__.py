"""`python -m taxonomy`: check, show, compare and use the taxonomy of use cases."""

import signal
import sys

from taxonomy.commands import main

if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # `| head` has enough: end without a traceback
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
