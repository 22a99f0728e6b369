"""Seeds and archives that are objects in a store."""

import errno
import io
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

import pytest

from sources.web.archive.files import archives_of
from sources.web.capture import Capture
from sources.web.plan import SITEMAP, Seeds
from sources.web.segments import SegmentWriter
from sources.web.source import Web
from tests.sources.web.archives import HTML, warc
from tests.sources.web.hostile_site import html

PAGES = [(f"http://a.test/{k}", html(f"<h1>Page {k}</h1>"), HTML) for k in range(3)]


class Bucket:
    """A store in memory."""

    def __init__(self, **objects: bytes):
        self.objects = {f"s3://bucket/{name.replace('__', '.')}": data for name, data in objects.items()}

    def holds(self, name: str) -> bool:
        return name.startswith("s3://")

    def match(self, pattern: str) -> Iterator[str]:
        yield from (uri for uri in self.objects if fnmatchcase(uri, pattern))

    def open(self, uri: str) -> BinaryIO:
        if uri not in self.objects:
            raise FileNotFoundError(errno.ENOENT, "no such file", uri)
        return io.BytesIO(self.objects[uri])


def test_archives_in_a_store_are_what_local_ones_are(tmp_path: Path) -> None:
    data = {"one.warc.gz": warc(PAGES[:2]), "two.warc.gz": warc(PAGES[2:])}
    for name, content in data.items():
        (tmp_path / name).write_bytes(content)
    bucket = Bucket(one__warc__gz=data["one.warc.gz"], two__warc__gz=data["two.warc.gz"])
    (stored,) = Web(input=("s3://bucket/*.warc.gz",)).fetch_tasks(bucket)
    (local,) = Web(input=(f"{tmp_path}/*.warc.gz",)).fetch_tasks(bucket)
    assert stored.uri == local.uri  # so that an output does not depend on where an archive is
    archive = Seeds.from_json(stored.content).archive
    assert archive is not None
    assert archive.paths == ("s3://bucket/one.warc.gz", "s3://bucket/two.warc.gz")
    assert archive.with_copies({archive.paths[0]: tmp_path / "copy"}).paths[0] == str(tmp_path / "copy")
    plan = Web(input=("s3://bucket/*.warc.gz",), max_pages=3).plan(1, bucket)
    assert any("at most 3 pages, from 1 archive: about" in line for line in plan)


def test_lists_in_a_store_are_read_by_their_kind() -> None:
    bucket = Bucket(
        list__txt=b"https://a.test/\n", table__csv=b"id,url\n1,https://b.test/\n", map__xml=b"<urlset><url>"
        b"<loc>https://c.test/</loc></url></urlset>",
    )  # fmt: skip
    tasks = Web(input=tuple(bucket.objects)).fetch_tasks(bucket)
    assert [Seeds.from_json(task.content).pages for task in tasks] == [
        ("https://a.test/",), ("https://b.test/",), ("https://c.test/",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("s3://bucket/missing*.warc", "matches no file"),
        ("s3://bucket/list.txt", "matches no file"),
        ("ftp://host/file.warc", "expected http or https, gs:// or s3://, or local files"),
    ],
)
def test_what_is_not_there_is_wrong_usage(named: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(Web(input=(named,)).fetch_tasks(Bucket()))
    with pytest.raises(ValueError, match=r"s3://bucket/gone\.warc: no such file"):
        list(archives_of(["s3://bucket/gone.warc"], Bucket()))


def test_an_archive_is_brought_while_a_page_is_missing(tmp_path: Path) -> None:
    """What is captured needs no archive, unless failures are to be visited again."""
    bucket = Bucket(one__warc__gz=warc(PAGES))
    source = Web(input=("s3://bucket/*",))
    (task,) = source.fetch_tasks(bucket)
    path = tmp_path / "task.json"
    path.write_bytes(task.content)
    urls = [url for url, _, _ in PAGES]

    def captured(*found: Capture) -> list[str]:
        writer = SegmentWriter(tmp_path, lambda made: None)
        for each in found:
            writer.add(each)
        writer.close()
        return list(source.objects_of(path, retry_failed=False))

    listed = Capture(url="archive:one.warc.gz", view=SITEMAP, fetched_at="", links=urls)
    pages = [Capture(url=url, view="square", fetched_at="", cause="timeout" if k else "") for k, url in enumerate(urls)]
    assert captured() == ["s3://bucket/one.warc.gz"]
    assert captured(listed, *pages[:2]) == ["s3://bucket/one.warc.gz"]
    assert captured(pages[2]) == []
    assert list(source.objects_of(path, retry_failed=True)) == ["s3://bucket/one.warc.gz"]
