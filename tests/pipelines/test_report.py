"""The report in a real browser, its histograms, and the statistics behind it."""

import base64
import dataclasses
import io
import itertools
import json
import re
import resource
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_output
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipelines.report import card
from pipelines.report.presentation import contact_sheet, flow, histogram, report, statistics
from pipelines.report.presentation.statistics import Distribution, read_statistics
from pipelines.storage import Storage
from pipelines.tables.bounds import Bound
from pipelines.tables.manifest import read_manifest
from pipelines.tables.schema import ledger_schema
from sources.browser.chromium import find_chromium

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """(folder, manifest) of a small dataset with its report."""
    root = tmp_path_factory.mktemp("report") / "out"
    errors = [("papers/mixed.pdf", "unreadable_page"), (small_output.HOSTILE_NAME, "timeout")]
    manifest = small_output.build(root, small_output.example_pdfs(), page_errors=errors)
    card.export(Storage(str(root)))
    return root, manifest


@pytest.fixture(scope="module")
def browser(chromium):
    """A headless Chromium of each kind."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield running
        running.close()


@dataclasses.dataclass
class Visit:
    """A page with what it complained about and asked for."""

    page: object
    messages: list[str]
    requests: list[str]


def visit(browser, path, **options):
    page = browser.new_page(**options)
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url.split(":")[0]))
    page.goto(path.as_uri())
    return Visit(page, messages, requests)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_opens_from_disk_without_errors_or_network(output, browser, scheme, width):
    root, manifest = output
    seen = visit(
        browser,
        root / "report/index.html",
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        offline=True,
    )
    assert seen.messages == []
    assert set(seen.requests) <= {"file", "data"}
    assert seen.requests.count("file") == 1
    assert seen.page.title() == "pdf-pages – Vellum report"
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    tiles = [text.replace(",", "") for text in seen.page.locator(".tile strong").all_inner_texts()]
    samples = manifest["samples"]
    assert [int(text) for text in tiles] == [
        manifest["inputs"]["read"],
        manifest["items"]["found"],
        samples["kept"],
        sum(samples["rejected"].values()),
        sum(samples["duplicates"].values()),
        manifest["inputs"]["failed"] + manifest["items"]["failed"],
    ]
    seen.page.close()


@pytest.mark.parametrize("pages", [None, [], ["", ""]], ids=["no input", "failed input", "nothing kept"])
def test_opens_without_errors_when_there_is_nothing_to_show(browser, tmp_path, pages):
    pdfs = {} if pages is None else {"a.pdf": small_output.make_pdf(pages) if pages else b"no PDF"}
    small_output.build(tmp_path, pdfs, settings={"filters": [{"type": "min_ink"}]} if pages is None else None)
    card.export(Storage(str(tmp_path)))
    seen = visit(browser, tmp_path / "report/index.html")
    assert seen.messages == []
    assert seen.page.locator(".card").count() == len(pages or [])
    if not pages:
        assert "nothing was found" in seen.page.locator("#account").inner_text()
    seen.page.close()


def test_gallery_filters_sorts_and_enlarges(output, browser):
    root, manifest = output
    page = visit(browser, root / "report/index.html").page
    samples = manifest["samples"]
    counts = {"kept": samples["kept"], **samples["rejected"], **samples["duplicates"]}
    assert page.locator(".card:visible").count() == samples["total"]
    for label, count in counts.items():
        page.get_by_role("button", name=f"{label} {count}", exact=True).click()
        verdicts = page.locator(".card:visible .verdict").all_text_contents()
        assert verdicts == [label] * count
        assert page.locator("output").inner_text() == f"{count} of {samples['total']} shown"
    page.get_by_role("button", name=f"all {samples['total']}", exact=True).click()
    page.locator("select[data-language]").select_option("zh")
    assert page.locator(".card:visible").count() == 2
    page.locator("select[data-language]").select_option("")
    page.locator("select[data-order]").select_option(label="num_chars, highest first")
    k = manifest["scores"].index("num_chars")
    shown = page.locator(".card").evaluate_all(f"cards => cards.map(c => JSON.parse(c.dataset.scores)[{k}])")
    assert shown == sorted(shown, reverse=True)

    page.locator(".card button").first.click()
    dialog = page.get_by_role("dialog")
    assert dialog.is_visible()
    assert dialog.locator("img").evaluate("image => image.naturalWidth") > 100
    first = dialog.locator("dl").inner_text()
    assert "num_chars" in first
    page.keyboard.press("ArrowRight")
    assert dialog.locator("dl").inner_text() != first
    page.keyboard.press("ArrowLeft")
    assert dialog.locator("dl").inner_text() == first
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.set_viewport_size({"width": 390, "height": 700})
    page.locator(".card button").first.click()
    assert dialog.evaluate("dialog => dialog.scrollTop") == 0  # the picture first, not the buttons below it
    page.close()


def test_hostile_names_are_shown_and_never_run(output, browser):
    root, _ = output
    page = visit(browser, root / "report/index.html").page
    name = page.locator(".card .title bdi").first.get_attribute("title")
    assert name is None
    titles = page.locator(".card .title").evaluate_all("list => list.map(e => e.title)")
    assert any("<script>alert('x')</script>" in title and "\\u{202e}" in title for title in titles)
    messages = page.locator(".errors td:last-child").all_inner_texts()
    assert small_output.HOSTILE_TEXT in messages
    assert page.locator("script").count() == 1
    assert page.locator("main img:not([src^='data:image/'])").count() == 0
    page.close()


def test_a_script_that_slips_in_is_blocked_by_the_policy(output, browser, tmp_path):
    html = (output[0] / "report/index.html").read_text("utf-8")
    changed = tmp_path / "index.html"
    changed.write_text(html.replace("</main>", "<script>document.title='owned'</script></main>"), "utf-8")
    seen = visit(browser, changed)
    assert seen.page.title() == "pdf-pages – Vellum report"
    assert any("Content Security Policy" in message for message in seen.messages)
    assert seen.page.locator(".controls").is_visible()  # our own script still runs
    seen.page.close()


def test_page_can_be_read_without_script_and_by_a_screen_reader(output, browser):
    root, manifest = output
    seen = visit(browser, root / "report/index.html", java_script_enabled=False)
    page = seen.page
    assert page.locator(".card:visible").count() == manifest["samples"]["total"]
    assert not page.locator(".controls").is_visible()
    assert page.locator("h1").count() == 1
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator("svg:not([role=img][aria-label])").count() == 0
    assert page.locator("table").count() > 4
    unnamed = [button for button in page.get_by_role("button").all() if not (
        button.get_attribute("aria-label") or button.inner_text())]  # fmt: skip
    assert not unnamed
    page.close()


def test_colours_have_enough_contrast_in_both_schemes():
    def luminance(colour):
        channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    style = (report.TEMPLATES / "report.css").read_text("utf-8")
    schemes = re.findall(r":root \{(.*?)\}", style, re.S)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})\b", scheme))
        for name in ("ink", "soft", "kept", "rejected", "duplicate", "failed"):
            for ground in ("paper", "sheet"):
                pair = sorted((luminance(colours[name]), luminance(colours[ground])))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (name, ground)


def test_thresholds_are_drawn_where_a_filter_has_one(output):
    root, _ = output
    html = (root / "report/index.html").read_text("utf-8")
    charts = dict(re.findall(r"<figcaption><code>(\w+)</code>.*?(<svg.*?</svg>)", html, re.S))
    assert set(charts) == {*read_manifest(Storage(str(root)))["scores"], "num_bytes"}
    labels = {name: re.findall(r'<text class="bound[^>]*>([^<]*)<', chart) for name, chart in charts.items()}
    assert labels["ink"] == ["min 0.0005"]
    assert [label.strip("← →") for label in labels["num_chars"]] == ["min 32", "max 50,000"]
    assert labels["num_bytes"] == []


def test_failures_and_files_are_listed(output):
    root, manifest = output
    html = (root / "report/index.html").read_text("utf-8")
    for entry in manifest["files"]:
        assert entry["sha256"] in html
    assert html.count("<code>unreadable_page</code>") >= 2
    assert "whole input" in html


def test_a_thumbnail_that_is_no_image_is_said_to_be_broken(output, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(output[0], root)
    path = next((root / "ledger").iterdir())
    rows = pq.read_table(path).to_pylist()
    rows[0]["thumbnail"] = b"<svg onload=alert(1)>"
    manifest = json.loads((root / "manifest.json").read_bytes())
    pq.write_table(pa.Table.from_pylist(rows, schema=ledger_schema(manifest["scores"])), path)
    card.export(Storage(str(root)))
    html = (root / "report/index.html").read_text("utf-8")
    assert html.count("the thumbnail cannot be decoded") == 1
    assert base64.b64encode(b"<svg onload").decode()[:12] not in html
    assert Image.open(root / "report/thumbnails.jpg").size[0] > 100


values = st.floats(allow_nan=False, allow_infinity=False, width=32)
counters = st.dictionaries(values, st.integers(1, 1000), max_size=30).map(Counter)


@given(counters, counters, counters, st.lists(values, max_size=2))
def test_no_value_is_lost_in_a_histogram(kept, here, elsewhere, bounds):
    distribution = Distribution(kept=kept, rejected_here=here, rejected_elsewhere=elsewhere)
    shape = histogram.bins(distribution, bounds)
    if shape is None:
        assert kept.total() + here.total() + elsewhere.total() == 0
        return
    assert shape.counts.sum(axis=1).tolist() == [kept.total(), here.total(), elsewhere.total()]
    assert list(shape.edges) == sorted(shape.edges)
    assert 1 <= len(shape.edges) - 1 <= 2 * histogram.NUM_BINS + 2
    drawn = histogram.draw(
        "x", distribution, [Bound(filter="f", score="x", side="min", value=b, setting="s", reasons=()) for b in bounds]
    )
    assert "nan" not in drawn
    assert len(histogram.sparkline(distribution)) <= 40


def test_a_bar_counts_what_lies_between_its_edges():
    distribution = Distribution(kept=Counter({0.0: 5, 1.0: 3, 2.0: 1}), rejected_here=Counter({2.0: 4}))
    shape = histogram.bins(distribution)
    assert shape.counts[0].tolist() == [5, 3, 1]
    assert shape.counts[1].tolist() == [0, 0, 4]
    assert shape.position(1.0) == 0.5


def test_a_value_on_an_edge_belongs_to_the_bar_that_begins_there():
    distribution = Distribution(kept=Counter({k / 4: k + 1 for k in range(200)}))
    shape = histogram.bins(distribution)
    for k, (low, high) in enumerate(itertools.pairwise(shape.edges)):
        is_last = k == len(shape.edges) - 2
        within = [n for v, n in distribution.kept.items() if low <= v < high or (is_last and v == high)]
        assert shape.counts[0, k] == sum(within)


def test_a_skewed_score_gets_a_logarithmic_axis_with_its_threshold_inside():
    distribution = Distribution(kept=Counter({k / 1000: 10 for k in range(20, 150)}), rejected_here=Counter({0.0: 3}))
    shape = histogram.bins(distribution, [0.0005])
    assert shape.is_log
    assert 0.05 < shape.position(0.0005) < shape.position(0.02) < 1
    assert shape.counts[1, 0] == 3


def test_flow_has_every_branch_and_its_share(output):
    root, manifest = output
    read = read_statistics(Storage(str(root)), manifest)
    tree = flow.tree(manifest, read)
    assert sum(child.count for child in tree.children) == tree.count == manifest["items"]["found"]
    for child in tree.children:
        assert sum(leaf.count for leaf in child.children) == child.count
    drawn = flow.draw(tree)
    assert "same_content" in drawn
    assert drawn.count('class="band') == drawn.count('class="node') - 1


@given(st.lists(st.floats(width=32) | st.none(), max_size=50))
def test_rounded_values_are_close_and_integers_exact(numbers):
    given_N = np.array([np.nan if x is None else x for x in numbers], np.float32)
    rounded_N = statistics._rounded(given_N)
    for before, after in zip(given_N.astype(float), rounded_N.astype(float), strict=True):
        if not np.isfinite(before):
            assert np.isnan(after)
        elif abs(before) > 1e-37 and np.isfinite(after):
            assert abs(after - before) <= abs(before) * 2**-11
        if float(before).is_integer() and abs(before) <= 2048:
            assert after == before


def test_quantiles_are_those_of_the_values():
    distribution = Distribution(kept=Counter({float(k): 1 for k in range(1, 101)}))
    assert distribution.quantiles((0, 0.05, 0.5, 0.95, 1)) == [1, 5, 50, 95, 100]
    assert Distribution().quantiles((0.5,)) is None


def test_statistics_are_those_of_a_plain_count(output):
    root, manifest = output
    read = read_statistics(Storage(str(root)), manifest)
    rows = pq.read_table(root / "ledger").to_pylist()
    of_filter = {"ink": {"blank_page"}, "num_chars": {"no_text_layer", "short_text", "long_text"}}
    for score, reasons in of_filter.items():
        kept, here, elsewhere = Counter(), Counter(), Counter()
        for row in rows:
            if row["verdict"] == "duplicate":
                continue
            is_here = bool(reasons & set(row["reasons"]))
            part = kept if row["verdict"] == "kept" else here if is_here else elsewhere
            part[float(statistics._rounded(np.array([row["scores"][score]]))[0])] += 1
        distribution = read.scores[score]
        assert (kept, here, elsewhere) == distribution.parts()
        assert min(kept.total(), here.total(), elsewhere.total()) > 0
    assert read.broken == Counter(reason for row in rows for reason in row["reasons"])
    assert read.languages == Counter(row["language"] for row in rows if row["verdict"] == "kept")
    assert len(read.pictures) == sum(row["thumbnail"] is not None for row in rows)


def test_statistics_do_not_depend_on_batches(output, monkeypatch):
    root, manifest = output
    whole = read_statistics(Storage(str(root)), manifest)
    monkeypatch.setattr(statistics, "BATCH_ROWS", 3)
    monkeypatch.setattr(statistics, "PICTURE_ROWS", 2)
    assert read_statistics(Storage(str(root)), manifest) == whole


def many(root, num_rows, num_pictures, row_group_size=50_000):
    """A ledger of synthetic rows with its manifest, `num_pictures` of them with a thumbnail."""
    buffer = io.BytesIO()
    Image.fromarray((np.arange(200 * 150).reshape(200, 150) % 251).astype(np.uint8)).save(buffer, "JPEG")
    scores = ["short_side", "ink"]
    rng = np.random.default_rng(7)
    (root / "ledger").mkdir(parents=True)
    path = root / "ledger/ledger-00000-of-00001.parquet"
    counts: Counter[str] = Counter()
    with pq.ParquetWriter(path, ledger_schema(scores)) as writer:
        for start in range(0, num_rows, row_group_size):
            n = min(row_group_size, num_rows - start)
            ink = rng.gamma(2, 0.03, n).astype(np.float32)
            blank = ink < 0.01
            counts["rejected"] += int(blank.sum())
            index = np.arange(start, start + n)
            shown = index < num_pictures
            verdict = np.where(blank, "rejected", "kept")
            reason = pa.array(np.where(blank, "blank_page", None))
            offsets = np.concatenate([[0], np.cumsum(blank)]).astype(np.int32)
            lists = pa.ListArray.from_arrays(offsets, pa.array(["blank_page"] * int(blank.sum()), pa.string()))
            empty = pa.array([[]] * n, pa.list_(pa.string()))
            struct = pa.StructArray.from_arrays([pa.array(np.full(n, 724, np.float32)), pa.array(ink)], names=scores)
            columns = {
                "id": pa.array([f"{k:032x}" for k in index]),
                "source": pa.array(["pdfs"] * n),
                "uri": pa.array([f"shelf/{k // 100}.pdf" for k in index]),
                "locator": pa.array([f"page={k % 100 + 1}" for k in index]),
                "digest": pa.nulls(n, pa.string()),
                "verdict": pa.array(verdict),
                "reason": reason.cast(pa.string()),
                "reasons": lists,
                "duplicate_of": pa.nulls(n, pa.string()),
                "distance": pa.nulls(n, pa.int16()),
                "similarity": pa.nulls(n, pa.float32()),
                "matched_words": pa.nulls(n, pa.string()),
                "language": pa.array(["en"] * n),
                "flags": empty,
                "label": pa.nulls(n, ledger_schema(scores).field("label").type),
                "split": pa.array(np.where(blank, None, "train")).cast(pa.string()),
                "num_images": pa.array([1] * n, pa.int32()),
                "has_text": pa.array([True] * n),
                "num_messages": pa.array([0] * n, pa.int32()),
                "num_words": pa.array(rng.integers(0, 900, n), pa.int32()),
                "num_elements": pa.array([0] * n, pa.int32()),
                "num_bytes": pa.array(rng.integers(1000, 90_000, n)),
                "scores": struct.cast(ledger_schema(scores).field("scores").type),
                "phash": pa.nulls(n, pa.binary(32)),
                "fingerprint": pa.nulls(n, ledger_schema(scores).field("fingerprint").type),
                "thumbnail": pa.array([buffer.getvalue() if s else None for s in shown], pa.binary()),
            }
            writer.write_table(pa.table(columns, schema=ledger_schema(scores)))
    kept = num_rows - counts["rejected"]
    data = {
        "path": "data/train-00000-of-00001.parquet",
        "table": "train",
        "rows": kept,
        "bytes": 1,
        "sha256": "0",
    }
    ledger = {"path": f"ledger/{path.name}", "table": "ledger", "rows": num_rows, "bytes": 1, "sha256": "0"}
    manifest = {
        "vellum": "0.1.0",
        "recipe": {
            "name": "many",
            "sources": [{"type": "pdfs"}],
            "filters": [{"type": "min_ink", "share": 0.01}],
        },
        "versions": {},
        "inputs": {"matched": 1, "read": 1, "failed": 0},
        "items": {"noun": "page", "found": num_rows, "failed": 0},
        "samples": {
            "total": num_rows,
            "kept": kept,
            "rejected": {"blank_page": counts["rejected"]},
            "duplicates": {},
        },
        "failures": {},
        "splits": {"train": {"samples": kept, "bytes": 1}},
        "scores": scores,
        "files": [data, ledger],
    }
    small_output.save_manifest(root, manifest)


def test_a_thousand_thumbnails_stay_usable(tmp_path, browser):
    many(tmp_path, 3000, 3000)
    card.export(Storage(str(tmp_path)))
    seen = visit(browser, tmp_path / "report/index.html")
    cards = seen.page.locator(".card").count()
    assert 500 < cards <= statistics.MAX_PICTURES
    assert "The ledger holds 3,000 thumbnails" in seen.page.locator("#pages").inner_text()
    took_ms = seen.page.evaluate(
        "() => { const t = performance.now(); document.querySelector('[data-show=\"1\"]').click();"
        " document.body.offsetHeight; return performance.now() - t; }"
    )
    assert took_ms < 1000
    assert seen.messages == []
    seen.page.close()


MEASURE = """
import resource, sys
from pipelines.tables.manifest import read_manifest
from pipelines.report.card import export
from pipelines.storage import Storage
export(Storage(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mb(root):
    done = subprocess.run([sys.executable, "-c", MEASURE, str(root)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.full
def test_memory_is_flat_over_the_ledger(tmp_path):
    assert resource.RUSAGE_CHILDREN
    many(tmp_path / "small", 200_000, 100)
    many(tmp_path / "large", 4_000_000, 100)
    small, large = peak_mb(tmp_path / "small"), peak_mb(tmp_path / "large")
    assert large < small * 1.2, (small, large)


def test_contact_sheet_spreads_over_all_thumbnails():
    def picture(grey):
        buffer = io.BytesIO()
        Image.new("L", (100, 140), grey).save(buffer, "PNG")
        return buffer.getvalue()

    sheet = Image.open(io.BytesIO(contact_sheet.contact_sheet([picture(k) for k in range(200)])))
    assert sheet.format == "JPEG"
    cells = [sheet.getpixel((18 + 208 * (k % 6) + 95, 18 + 258 * (k // 6) + 120))[0] for k in range(24)]
    assert cells == sorted(cells)
    assert cells[-1] > 180
    assert contact_sheet.contact_sheet([]) is None
    assert contact_sheet.contact_sheet([b"nothing"]) is None
