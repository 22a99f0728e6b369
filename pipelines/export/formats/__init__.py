"""The layouts of an export by the names that `vellum export --format` knows."""

from collections.abc import Mapping

from pipelines.export.formats.format import Format
from pipelines.export.formats.jsonl import Jsonl
from pipelines.export.formats.llama_factory import LlamaFactory
from pipelines.export.formats.ms_swift import MsSwift
from pipelines.export.formats.trl import Trl
from pipelines.export.formats.webdataset import WebDataset

FORMATS: Mapping[str, type[Format]] = {cls.name: cls for cls in (Trl, LlamaFactory, MsSwift, WebDataset, Jsonl)}

__all__ = ["FORMATS", "Format"]
