"""Varied documents for tests of instruction writers, read by the PDF source."""

import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pymupdf

from sources.base.sample import Sample
from sources.pdfs.source import Pdfs

SUBJECTS = ("lighthouse", "harbour", "granary", "orchard", "foundry", "library", "quarry", "railway")
ENGLISH = """<h2>The {subject} report</h2>
<p>The {subject} was opened on {day} March 19{number} and had {number} rooms. Its keeper wrote to {subject}@example.org
every week. Nobody kept the answers.</p>
<p>By 2024-0{month}-11 the {subject} had seen {many} visitors, which is {more} more than the year before. Most visitors
came by boat, some visitors came on foot. {aside}</p>
<p>{extra} Its walls are made of {stone}, and its roof was mended twice. Whoever climbs the stairs sees the {view}
first.</p>
<p>{page}</p>
"""
CHINESE = """<h2>{subject}的报告</h2>
<p>这座建筑在19{number}年{month}月{day}日开放，共有{number}个房间。守护人每周写信，没有人保存回信。</p>
<p>到了后来，参观人数达到{many}人，比前一年多{more}人。大多数人乘船而来，也有人步行。English name: {latin} House。</p>
<p>墙壁由石头砌成，屋顶修过两次。登上楼梯的人首先看到大海。{extra}</p>
<p>{page}</p>
"""
STONES = ("granite", "sandstone", "limestone", "basalt", "slate", "marble", "flint", "chalk")
VIEWS = ("mountains", "islands", "meadows", "rooftops", "vineyards", "chimneys", "glaciers", "dunes")
CHINESE_SUBJECTS = ("灯塔", "港口", "粮仓", "果园", "铸造厂", "图书馆", "采石场", "铁路")


def _html(k: int, language: str) -> str:
    template = ENGLISH if language == "en" else CHINESE
    subject = SUBJECTS[k] if language == "en" else CHINESE_SUBJECTS[k]
    rooms = range(1 + 9 * (k % 2))
    extra = " ".join(f"Room {j} of the {SUBJECTS[k]} holds {j * 7 + k} old {VIEWS[j % 8]} maps." for j in rooms)
    return template.format(
        subject=subject,
        page=k + 1,
        latin=SUBJECTS[k].capitalize(),
        day=10 + k,
        number=41 + k,
        month=1 + k,
        many=1200 + 37 * k,
        more=100 + k,
        aside="The sign over the door says 欢迎光临 in Chinese." if k % 3 == 0 else "",
        extra=extra if language == "en" else "馆内另有地图和书籍。" * (1 + 9 * (k % 2)),
        stone=STONES[k],
        view=VIEWS[k],
    )


def write_document(path: Path, language: str) -> Path:
    """Write a PDF with eight pages, always the same bytes."""
    buffer = io.BytesIO()
    writer = pymupdf.DocumentWriter(buffer)
    for k in range(8):
        story = pymupdf.Story(html=_html(k, language))
        sheet = pymupdf.paper_rect("a5")
        device = writer.begin_page(sheet)
        story.place(pymupdf.Rect(sheet.x0 + 36, sheet.y0 + 36, sheet.x1 - 36, sheet.y1 - 36))
        story.draw(device)
        writer.end_page()
    writer.close()
    document = pymupdf.open("pdf", buffer.getvalue())
    document.set_metadata({})  # MuPDF writes the time
    document.save(path, no_new_id=True, garbage=3, deflate=True)
    return path


@cache
def document(language: str, side_px: int = 512) -> list[Sample]:
    """Return the samples of the PDF's pages."""
    with TemporaryDirectory() as folder:
        path = write_document(Path(folder) / "document.pdf", language)
        with Pdfs(side_px=side_px).open(path) as pages:
            return [pages[page] for page in range(len(pages))]
