"""Google Cloud Storage, with errors a person understands. Its client's own retries are off: see `retry.py`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from pipelines.storage.base_store import Head, ObjectStore
from pipelines.storage.errors import StorageError, StoreBusy
from pipelines.storage.retry import first_line, passes


class GoogleStore(ObjectStore):
    """A bucket of Google Cloud Storage. A tag is the object's generation."""

    def __init__(self, uri: str, client: Any):
        super().__init__(uri)
        self._client = client
        self._bucket = client.bucket(self.bucket)

    def head(self, key: str) -> Head | None:
        with _google_errors(self.uri):
            blob = self._bucket.get_blob(key, retry=None)
        return None if blob is None else Head(blob.size, str(blob.generation), blob.updated.timestamp())

    def read_range(self, key: str, start: int, length: int) -> bytes:
        with _google_errors(self.uri, key):
            blob = self._bucket.blob(key)
            return bytes(blob.download_as_bytes(start=start, end=start + length - 1, raw_download=True, retry=None))

    def download(self, key: str, into: IO[bytes]) -> None:
        with _google_errors(self.uri, key):
            self._bucket.blob(key).download_to_file(into, raw_download=True, retry=None)

    def upload(self, key: str, file: IO[bytes]) -> None:
        with _google_errors(self.uri):
            self._bucket.blob(key).upload_from_file(file, size=os.stat(file.fileno()).st_size, retry=None)

    def write_if(self, key: str, data: bytes, tag: str) -> str | None:
        from google.api_core.exceptions import PreconditionFailed

        blob = self._bucket.blob(key)
        with _google_errors(self.uri):
            try:
                blob.upload_from_string(data, if_generation_match=int(tag or 0), retry=None)
            except PreconditionFailed:
                return None
        return str(blob.generation)

    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        with _google_errors(self.uri):
            for blob in self._client.list_blobs(
                self._bucket,
                prefix=prefix,
                start_offset=after or None,
                fields="items(name,size),nextPageToken",
                retry=None,
            ):
                if blob.name > after:  # an emulator may not know the offset
                    yield blob.name, blob.size or 0

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError), _google_errors(self.uri, key):
            self._bucket.delete_blob(key, retry=None)

    def copy(self, source: str, target: str) -> None:
        with _google_errors(self.uri, source):
            blob = self._bucket.blob(target)
            token, _, _ = blob.rewrite(self._bucket.blob(source), retry=None)
            while token is not None:  # large objects are copied in steps
                token, _, _ = blob.rewrite(self._bucket.blob(source), token=token, retry=None)


@contextmanager
def _google_errors(uri: str, key: str | None = None) -> Iterator[None]:
    """Errors of the client as one sentence; `key` is given where a missing object is no fault."""
    from google.api_core.exceptions import (
        Forbidden,
        GoogleAPIError,
        NotFound,
        PreconditionFailed,
        Unauthorized,
    )
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except PreconditionFailed:
        raise
    except NotFound as error:
        if key is not None and "bucket does not exist" not in str(error):
            raise FileNotFoundError(f"{uri}/{key}") from error
        raise StorageError(f"there is no bucket {uri}; make it with `gcloud storage buckets create {uri}`") from error
    except Forbidden as error:
        raise StorageError.forbidden(f"{uri} may not be used with these credentials: {error.message}") from error
    except Exception as error:
        if passes(error, getattr(error, "code", None)):
            raise StoreBusy(f"{uri} does not answer as expected: {first_line(error)}") from error
        if isinstance(error, Unauthorized | GoogleAuthError):
            raise StorageError(
                f"no valid Google credentials for {uri}: expected `gcloud auth application-default login`, "
                f"GOOGLE_APPLICATION_CREDENTIALS or a service account of the machine"
            ) from error
        if isinstance(error, GoogleAPIError):
            raise StorageError(f"{uri} does not answer as expected: {first_line(error)}") from error
        raise
