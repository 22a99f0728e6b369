"""The picture of the report: the top of what `vellum run --source pdfs` writes on the bundled examples."""

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from examples.pictures.sheet import Sheet
from sources.browser.chromium import find_chromium

SIZE = (1200, 790)


def report() -> tuple[Image.Image, str]:
    """Run on the examples, and look at the report in a browser."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", "--output", folder]
        subprocess.run(command, check=True, capture_output=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
            page.goto((Path(folder) / "report/index.html").as_uri())
            screenshot = page.screenshot()
            browser.close()
    return Image.open(io.BytesIO(screenshot)), ""


SHEET = Sheet(file="report.png", drawings=[report], columns=1, cell_px=SIZE, quality=None)
