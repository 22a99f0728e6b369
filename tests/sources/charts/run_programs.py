"""Run emitted programs and specifications in a separate process, which may crash, hang or be killed.

python -I run_programs.py FOLDER: renders every `N.py` and `N.json` in the folder to `N.png`.
"""

import os
import resource
import runpy
import sys
from pathlib import Path

MEMORY_BYTES = 2_000_000_000
CPU_S = 300


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    folder = Path(sys.argv[1])
    os.chdir(folder)
    for path in sorted(folder.glob("*.py")):
        runpy.run_path(str(path))
        sys.modules["matplotlib.pyplot"].close("all")
        Path("chart.png").rename(path.with_suffix(".png"))
    specifications = sorted(folder.glob("*.json"))
    if specifications:
        import vl_convert

        for path in specifications:
            path.with_suffix(".png").write_bytes(vl_convert.vegalite_to_png(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
