"""A smoke test of an installed Vellum: one PDF and one web page, from the command to the manifest.

    python container/smoke.py

The image's build ends with it. It runs in a folder of its own, so that the installed package is imported, and it needs
no network: the PDF is one of the examples in the package, and the page is served on the loopback.
"""

import importlib.util
import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

PACKAGES = ("deepseek_vl", "filters", "pipelines", "sources", "taxonomy")
RUNS = {
    "pdfs": ["--limit", "1", "--set", "side_px=320"],
    "web": ["--set", "max_pages=1"],
}


def main() -> None:
    installed = Path(sysconfig.get_path("purelib")).resolve()
    with tempfile.TemporaryDirectory() as folder:
        sys.path[:] = [name for name in sys.path if name and Path(name).resolve() != Path(__file__).resolve().parent]
        for package in PACKAGES:
            found = importlib.util.find_spec(package)
            where = Path(found.origin or "").resolve() if found else None
            if where is None or not where.is_relative_to(installed):
                sys.exit(f"{package} is not the installed one in {installed}: {where}")
        for source, options in RUNS.items():
            out = Path(folder) / source
            vellum = Path(sys.executable).with_name("vellum")
            line = [str(vellum), "run", "--source", source, "--output", str(out), "--workers", "1", *options]
            done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                sys.exit(f"{' '.join(line)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
            samples = json.loads((out / "manifest.json").read_text())["samples"]
            if not samples["total"]:
                sys.exit(f"{source}: no sample was read\n{done.stdout}{done.stderr}")
            print(f"{source}: {samples['total']} samples, {samples['kept']} kept")
            print(done.stderr, end="", file=sys.stderr)  # whether the browser has its sandbox


if __name__ == "__main__":
    main()
