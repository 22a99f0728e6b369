"""Storage: files in local folders, `gs://` and `s3://` alike. Files appear whole or never."""

from pipelines.storage.errors import OutputInUse, StorageError
from pipelines.storage.inputs import fetch, match
from pipelines.storage.storage import Storage
from pipelines.storage.uris import is_remote

__all__ = ["OutputInUse", "Storage", "StorageError", "fetch", "is_remote", "match"]
