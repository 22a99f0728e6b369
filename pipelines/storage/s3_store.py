"""S3 and stores that speak its protocol, with errors a person understands. The client's own retries are off."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from pipelines.storage.base_store import Head, ObjectStore
from pipelines.storage.errors import StorageError, StoreBusy
from pipelines.storage.retry import first_line, passes


class S3Store(ObjectStore):
    """A bucket of S3 or of a store that speaks its protocol. A tag is the object's ETag."""

    def __init__(self, uri: str, client: Any):
        super().__init__(uri)
        self._client = client

    def head(self, key: str) -> Head | None:
        try:
            with _s3_errors(self.uri, key):
                answer = self._client.head_object(Bucket=self.bucket, Key=key)
        except FileNotFoundError:
            return None
        return Head(answer["ContentLength"], answer["ETag"], answer["LastModified"].timestamp())

    def read_range(self, key: str, start: int, length: int) -> bytes:
        with _s3_errors(self.uri, key):
            wanted = f"bytes={start}-{start + length - 1}"
            return bytes(self._client.get_object(Bucket=self.bucket, Key=key, Range=wanted)["Body"].read())

    def download(self, key: str, into: IO[bytes]) -> None:
        with _s3_errors(self.uri, key):
            self._client.download_fileobj(self.bucket, key, into, Config=_once())

    def upload(self, key: str, file: IO[bytes]) -> None:
        # The client closes the file that it is given.
        with _s3_errors(self.uri), os.fdopen(os.dup(file.fileno()), "rb") as copy:
            self._client.upload_fileobj(copy, self.bucket, key, Config=_once())

    def write_if(self, key: str, data: bytes, tag: str) -> str | None:
        condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        try:
            with _s3_errors(self.uri, key):
                return str(self._client.put_object(Bucket=self.bucket, Key=key, Body=data, **condition)["ETag"])
        except (_ConditionFailed, FileNotFoundError):  # not found: it was deleted, so has not this tag either
            return None

    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        with _s3_errors(self.uri):
            start = {"StartAfter": after} if after else {}
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, **start)
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield entry["Key"], entry["Size"]

    def delete(self, key: str) -> None:
        with _s3_errors(self.uri):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def copy(self, source: str, target: str) -> None:
        with _s3_errors(self.uri, source):
            self._client.copy({"Bucket": self.bucket, "Key": source}, self.bucket, target, Config=_once())


def _once() -> Any:
    """Settings of transfers that try nothing again."""
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(num_download_attempts=1)


class _ConditionFailed(Exception):
    """The object has changed since its tag was read."""


_S3_MISSING = ("404", "NoSuchKey", "NotFound")
_S3_CONDITION = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_S3_BAD_CREDENTIALS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")


@contextmanager
def _s3_errors(uri: str, key: str | None = None) -> Iterator[None]:
    """As `_google_errors`, for boto3."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if key is not None and code in _S3_MISSING:
            raise FileNotFoundError(f"{uri}/{key}") from error
        if key is not None and code in _S3_CONDITION:
            raise _ConditionFailed from error
        if code in ("NoSuchBucket", *_S3_MISSING):
            raise StorageError(f"there is no bucket {uri}; make it with `aws s3 mb {uri}`") from error
        if code in _S3_BAD_CREDENTIALS:
            raise StorageError(f"the AWS credentials for {uri} are not valid: {first_line(error)}") from error
        if code in ("AccessDenied", "403"):
            raise StorageError.forbidden(
                f"{uri} may not be used with these credentials: {first_line(error)}"
            ) from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        kind = StoreBusy if passes(error, status, code) else StorageError
        raise kind(f"{uri} does not answer as expected: {first_line(error)}") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StorageError(
            f"no valid AWS credentials for {uri}: expected `aws configure`, AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY, or a role of the machine"
        ) from error
    except (FileNotFoundError, StorageError):
        raise
    except Exception as error:
        if not isinstance(error, BotoCoreError) and not passes(error):
            raise
        kind = StoreBusy if passes(error) else StorageError
        raise kind(f"{uri} does not answer as expected: {first_line(error)}") from error
