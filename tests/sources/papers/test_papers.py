"""Papers as arXiv keeps them: pages with their markup, missing PDFs compiled, and broken or hostile inputs."""

import gzip
import io
import itertools
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sources.base.source import InputError, ItemError
from sources.papers import Papers, samples
from sources.papers.compilation import PROGRAM
from sources.pdfs import mupdf_page
from sources.pdfs.source import Pdfs

EXAMPLE = Path(__file__).parents[3] / "sources/papers/examples/matching.tex"
TEX, PDF = EXAMPLE.read_bytes(), EXAMPLE.with_suffix(".pdf").read_bytes()
needs_latex = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="pdfLaTeX is not installed")


def texts(path: Path, **settings: Any) -> list[str]:
    """The markup of every page, or the cause of the error in its place."""
    found = []
    with Papers(side_px=200, **settings).open(path) as items:
        for item in range(len(items)):
            try:
                found.append((items[item].text or "").removeprefix("<image>\n"))
            except ItemError as error:
                found.append(error.cause)
    return found


def cause(path: Path, **settings: Any) -> str:
    """The cause for which an input cannot be read."""
    with pytest.raises(InputError) as found, Papers(side_px=200, **settings).open(path):
        pass
    return found.value.cause


def make_tar(path: Path, files: Mapping[str, bytes], *links: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for link in links:
            archive.addfile(link)
    return path


def paper(body: str, preamble: str = "") -> bytes:
    return f"\\documentclass{{article}}\n{preamble}\n\\begin{{document}}\n{body}\n\\end{{document}}\n".encode()


def test_the_bundled_paper_has_the_markup_of_exactly_each_page() -> None:
    first, second = texts(EXAMPLE)
    assert first.startswith("# Cutting Markup at the Ends of Pages\n\nThe Vellum project\n")
    assert "## 1 The problem" in first
    assert "### 3.1 References" in first
    assert "in nearly the same order [1]." in first
    assert "such as $\\alpha_i \\in\\mathbb{R}$.[^1]" in first
    assert "- footnotes, which are printed at the foot of the page;\n- figures" in first
    assert "\\mathbf{w}_{i} = v_j" in first
    assert "\\end{cases} \\tag{1}\n$$" in first
    assert "The table in equation (1) has" in first
    assert "Let $p$ be a page. We call a set of pairs $\\langle i, j \\rangle$ a *matching* if" in first
    assert "**Lemma 1** If a word" in first
    table = "| kind | on the page | in the markup |\n|---|---|---|\n| words | yes | yes |"
    assert f"Table 1: What the page and the markup have of each kind.\n\n{table}" in first
    assert "\\tag{2} \\\\ r &= \\ell_{s+1} + \\dots+ \\ell_{n}. \\tag{3}" in first
    assert first.endswith(
        "\n\n[^1]: Formulas are printed as letters, but in an order that depends on the program that reads them."
    )
    assert second.startswith("1. a table of contents, which the markup does not have;\n2. a page")
    assert '```\nfor page in pages:\n    if fit(page) < 0.95:\n        reject(page, "markup_fit")\n```' in second
    assert "[1] *On the longest common subsequence*. A textbook exercise." in second
    assert "words inside of figures belong" not in first


def test_the_fit_of_a_page_is_measured_and_another_paper_does_not_fit(tmp_path: Path) -> None:
    with Papers(side_px=200).open(EXAMPLE) as items:
        assert all(items[k].measures["markup_fit"] > 0.99 for k in range(2))
        assert items[0].source == "papers"
        assert items[0].words.texts[:2] == ["Cutting", "Markup"]
    words = TEX.decode().replace("page", "stone").replace("markup", "river").replace("word", "house")
    (tmp_path / "a.tex").write_text(words.replace("the ", "some ").replace(" is ", " was "))
    (tmp_path / "a.pdf").write_bytes(PDF)
    with Papers(side_px=200).open(tmp_path / "a.tex") as items:
        assert all(items[k].measures["markup_fit"] < 0.9 for k in range(2))


def test_the_words_of_a_page_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = mupdf_page._words
    pages_read = []

    def counted(page: Any, *others: Any) -> Any:
        pages_read.append(page.number)
        return read(page, *others)

    monkeypatch.setattr(mupdf_page, "_words", counted)
    monkeypatch.setattr(samples, "_latest", None)
    with Papers(side_px=200).open(EXAMPLE) as items:
        pages = [items[0]]
    with Papers(side_px=200).open(EXAMPLE) as items:  # the next unit of the same paper
        pages.append(items[1])
    assert pages_read == [0, 1]
    with Pdfs(side_px=200).open(EXAMPLE.with_suffix(".pdf")) as items:
        assert [items[k].words.texts for k in range(2)] == [page.words.texts for page in pages]


@pytest.mark.parametrize("kind", ["tar.gz", "gz", "zip", "tex", "tar", "inside"])
def test_every_way_in_which_a_paper_is_kept_gives_the_same_markup(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"2401.00001.{'tar.gz' if kind == 'inside' else kind}"
    if kind == "gz":
        path.write_bytes(gzip.compress(TEX))
    elif kind == "tex":
        path.write_bytes(TEX)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("matching.tex", TEX)
    else:
        make_tar(path, {"matching.tex": TEX, **({"matching.pdf": PDF} if kind == "inside" else {})})
    if kind != "inside":
        (tmp_path / "2401.00001.pdf").write_bytes(PDF)
    assert texts(path, compile="never") == texts(EXAMPLE)


def test_files_are_read_inside_of_the_paper_only(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("the secret words of another file")
    folder = tmp_path / "paper"
    folder.mkdir()
    for name in ("../secret", str(tmp_path / "secret.tex"), "secret"):
        start, end = TEX.split(b"\\section{Measuring}")
        (folder / "a.tex").write_bytes(start + b"\\input{" + name.encode() + b"}\n\\section{Measuring}" + end)
        (folder / "a.pdf").write_bytes(PDF)
        assert not any("secret" in text for text in texts(folder / "a.tex"))
        with Papers(side_px=200).open(folder / "a.tex") as items:
            assert "missing_files" in items[0].flags
    (folder / "secret.tex").symlink_to(tmp_path / "secret.tex")
    assert not any("secret" in text for text in texts(folder / "a.tex"))
    start, end = TEX.split(b"\\section{Measuring}")
    (folder / "rest.tex").write_bytes(b"\\section{Measuring}" + end.replace(b"\\end{document}", b""))
    (folder / "a.tex").write_bytes(start + b"\\input{rest}\n\\end{document}")
    assert texts(folder / "a.tex") == texts(EXAMPLE)


def test_a_part_of_a_paper_gives_no_items_and_plain_tex_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "main.tex").write_bytes(paper("\\input{chapters/one}"))
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters/one.tex").write_text("words")
    assert texts(tmp_path / "chapters/one.tex") == []
    (tmp_path / "plain.tex").write_text("\\magnification=1200 Hello \\bye")
    assert cause(tmp_path / "plain.tex") == "not_latex"
    (tmp_path / "empty.tex").write_bytes(b"")
    assert cause(tmp_path / "empty.tex") == "empty_file"
    (tmp_path / "b.tex").write_bytes(TEX)
    assert cause(tmp_path / "b.tex", compile="never") == "no_pdf"
    assert cause(tmp_path / "gone.tex") == "not_found"


def laughs(levels: int = 12) -> str:
    names = [f"\\{chr(97 + k)}x" for k in range(levels + 1)]
    return "".join(f"\\def{one}{{{other * 10}}}" for one, other in itertools.pairwise(names)) + names[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("\\input{a}", "input_loop"),
        ("\\def\\x{\\x}\\x", "expansion_limit"),
        ("\\def\\x{\\x\\x}\\x", "expansion_limit"),
        ("\\def\\x{}\\def\\y{\\x\\y}\\y", "expansion_limit"),
        (f"\\def\\zx{{ha}}{laughs()}", "expansion_limit"),
        ("{" * 10_000, "no_text"),
        ("", "no_text"),
    ],
)
def test_macros_without_end_cost_one_paper(tmp_path: Path, body: str, expected: str) -> None:
    (tmp_path / "a.tex").write_bytes(paper(body))
    (tmp_path / "a.pdf").write_bytes(PDF)
    assert cause(tmp_path / "a.tex") == expected


def test_archives_of_enemies_are_errors(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes(120_000_000)))
    assert cause(bomb) == "archive_bomb"
    link = tarfile.TarInfo("main.tex")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert cause(make_tar(tmp_path / "links.tar.gz", {}, link)) == "no_source"
    outside = {"../main.tex": TEX, "/main.tex": TEX, "a/../../main.tex": TEX}
    assert cause(make_tar(tmp_path / "outside.tar.gz", outside)) == "no_source"
    (tmp_path / "pdf.gz").write_bytes(gzip.compress(PDF))
    assert cause(tmp_path / "pdf.gz") == "no_source"
    (tmp_path / "cut.tar.gz").write_bytes(make_tar(tmp_path / "whole.tar.gz", {"main.tex": TEX}).read_bytes()[:-600])
    assert cause(tmp_path / "cut.tar.gz") == "damaged"
    assert cause(make_tar(tmp_path / "plain.tar.gz", {"a.tex": b"\\bye"})) == "not_latex"


def test_other_encodings_and_accents(tmp_path: Path) -> None:
    path = tmp_path / "a.tex"
    path.write_bytes(TEX.replace(b"A textbook exercise", "Müßig".encode("latin-1")))
    (tmp_path / "a.pdf").write_bytes(PDF)
    assert len(texts(path)) == 2


def test_an_encrypted_pdf_is_an_error(tmp_path: Path) -> None:
    import pymupdf

    with pymupdf.open(EXAMPLE.with_suffix(".pdf")) as document:
        document.save(tmp_path / "a.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="x", owner_pw="y")
    (tmp_path / "a.tex").write_bytes(TEX)
    assert cause(tmp_path / "a.tex") == "encrypted"


@needs_latex
@pytest.mark.slow
def test_a_missing_pdf_is_compiled_without_a_shell_and_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("the secret words of another file")
    attack = (
        f"\\immediate\\write18{{touch {tmp_path}/shell}}\\newread\\file"
        f"\\openin\\file={tmp_path}/secret.tex \\ifeof\\file closed\\else open\\fi "
    ).encode()
    for name in ("a", "b"):
        make_tar(
            tmp_path / f"{name}.tar.gz",
            {"main.tex": TEX.replace(b"\\section{Measuring}", attack + b"\\section{Measuring}")},
        )
    found = []
    for name in ("a", "b"):
        with Papers(side_px=200).open(tmp_path / f"{name}.tar.gz", "0" * 64) as items:
            assert "compiled" in items[0].flags
            found.append([(items[k].images[0].data, items[k].text) for k in range(len(items))])
            words = [word for k in range(len(items)) for word in items[k].words.texts]
    assert found[0] == found[1]
    assert "closed" in words
    assert not (tmp_path / "shell").exists()
    writing = f"words \\newwrite\\out\\immediate\\openout\\out={tmp_path}/written.tex "
    make_tar(tmp_path / "c.tar.gz", {"main.tex": paper(writing)})
    assert cause(tmp_path / "c.tar.gz") == "not_compiled"
    assert not (tmp_path / "written.tex").exists()


@needs_latex
@pytest.mark.slow
def test_papers_that_cannot_be_compiled_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tar(tmp_path / "a.tar.gz", {"main.tex": paper("words", "\\usepackage{nosuchpackage}")})
    with pytest.raises(InputError, match="nosuchpackage") as found, Papers().open(tmp_path / "a.tar.gz"):
        pass
    assert found.value.cause == "not_compiled"
    monkeypatch.setattr("sources.papers.compilation.TIMEOUT_S", 1)
    make_tar(tmp_path / "b.tar.gz", {"main.tex": paper("words \\loop\\iftrue\\repeat")})
    assert cause(tmp_path / "b.tar.gz") == "timeout"


def test_figures_with_their_captions(tmp_path: Path) -> None:
    import pymupdf

    picture = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 60, 40))
    picture.clear_with(255)
    picture.set_rect(pymupdf.IRect(10, 10, 30, 30), (0,))
    figure = (
        "\\begin{figure}\\includegraphics[width=1cm]{plot}\\caption{What the page and the markup have}\\end{figure}"
    )
    drawn = "\\begin{figure}\\begin{tikzpicture}\\draw (0,0);\\end{tikzpicture}\\caption{Drawn}\\end{figure}"
    make_tar(tmp_path / "a.tar.gz", {"a.tex": paper(figure + drawn), "plot.png": picture.tobytes("png")})
    (tmp_path / "a.pdf").write_bytes(PDF)
    assert texts(tmp_path / "a.tar.gz", samples="captions") == [
        "Table 1: What the page and the markup have",
        "drawn_by_tex",
    ]
