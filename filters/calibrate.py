"""`python -m filters.calibrate OUT --axis ocr_agreement`: see `pipelines/commands/calibrate.py`.

The command reads an output, which `filters` knows nothing of: it runs the module.
"""

import importlib
import sys

if __name__ == "__main__":
    sys.exit(importlib.import_module("pipelines.commands.calibrate").main())
