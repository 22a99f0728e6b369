"""`python -m examples.pictures [FILE …]`: make the pictures of README and docs again, or those named."""

import argparse

from examples.pictures import charts, diagrams, ocr, ocr_degradation, report, thumbnails, web_code
from examples.pictures.sheet import FOLDER, Sheet

SHEETS: dict[str, Sheet] = {
    sheet.file: sheet
    for sheet in (
        report.SHEET,
        charts.SHEET,
        diagrams.SHEET,
        ocr.SHEET,
        ocr_degradation.SHEET,
        web_code.SHEET,
        *thumbnails.SHEETS,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.pictures", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(SHEETS)}; all by default")
    args = parser.parse_args()
    if unknown := [name for name in args.files if name not in SHEETS]:
        parser.error(f"unknown picture {unknown[0]!r}")
    for name in args.files or SHEETS:
        path = SHEETS[name].save()
        print(f"{path.relative_to(FOLDER.parent.parent)}: {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
