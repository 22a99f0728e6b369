"""DeepSeek-VL: the model, its checkpoints, generation and scoring."""

import sys
from importlib.util import find_spec

# `python -m deepseek_vl.chat` imports this package first, with -m in the place of the program's name.
if sys.argv[:1] == ["-m"] and find_spec("torch") is None:
    sys.exit(
        "error: deepseek_vl needs torch, which is not installed; install it with: pip install -e '.[model]' in the "
        "checkout, or pip install 'FILE.whl[model]' with Vellum's wheel"
    )
