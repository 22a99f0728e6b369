"""Storage: files in local folders and behind `gs://` and `s3://` with one interface. Files appear whole or never."""

from pipelines.storage.errors import OutputError, OutputInUse, StorageError
from pipelines.storage.inputs import fetch, match
from pipelines.storage.storage import STAGING, Storage
from pipelines.storage.uris import is_remote

__all__ = ["STAGING", "OutputError", "OutputInUse", "Storage", "StorageError", "fetch", "is_remote", "match"]
