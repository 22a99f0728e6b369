"""Object stores: the few calls Vellum makes to Google Cloud Storage and S3, with errors a person understands.

Clients are made by Beam from its pipeline options, so `--s3_endpoint_url`, impersonation and the like work.
Calls are made on the clients themselves, as Beam's `FileSystems` lacks or breaks what is needed here (2.77):
no conditional write (a lock needs one), a new client for each call, `delete` and `match` take `[` and `*` in
an object's name for wildcards, `open` decompresses names ending in `.gz`, an empty S3 object cannot be
written, and a writer that an error leaves behind is finished by the garbage collector: half a file appears
under its final name.
"""

import importlib.util
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from pipelines.storage.errors import StorageError
from pipelines.storage.uris import REMOTE_SCHEMES, bucket_and_key

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

ABSENT = ""  # the tag of an object that is not there


@dataclass(frozen=True, slots=True)
class Head:
    """The metadata that a store has of an object.

    Args:
        size: in bytes.
        tag: another one after every write.
        modified_s: when it was written, seconds since 1970 by the store's clock.
    """

    size: int
    tag: str
    modified_s: float


class ObjectStore(ABC):
    """One bucket. Every method raises StorageError where the store refuses.

    Args:
        uri: `gs://bucket` or `s3://bucket`.
    """

    def __init__(self, uri: str):
        self.uri = uri
        self.bucket = uri.partition("://")[2]

    @abstractmethod
    def head(self, key: str) -> Head | None:
        """The metadata of an object, None if it is not there."""

    @abstractmethod
    def read_range(self, key: str, start: int, length: int) -> bytes:
        """`length` > 0 bytes from `start`, fewer at the end of the object."""

    @abstractmethod
    def download(self, key: str, into: IO[bytes]) -> None:
        """Copy an object to a file. Raises FileNotFoundError."""

    @abstractmethod
    def upload(self, key: str, file: IO[bytes]) -> None:
        """Make an object of a seekable file; it appears when all of it has arrived."""

    @abstractmethod
    def write_if(self, key: str, data: bytes, tag: str) -> str | None:
        """Write if the object still has this tag (`ABSENT`: is not there).

        Returns:
            Its new tag, None if it had another one.
        """

    @abstractmethod
    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix`, sorted."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete an object; it may be missing."""

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Copy an object inside the store. Raises FileNotFoundError."""


class GoogleStore(ObjectStore):
    """A bucket of Google Cloud Storage. A tag is the object's generation."""

    def __init__(self, uri: str, client: Any):
        super().__init__(uri)
        self._client = client
        self._bucket = client.bucket(self.bucket)

    def head(self, key: str) -> Head | None:
        with _google_errors(self.uri):
            blob = self._bucket.get_blob(key)
        return None if blob is None else Head(blob.size, str(blob.generation), blob.updated.timestamp())

    def read_range(self, key: str, start: int, length: int) -> bytes:
        with _google_errors(self.uri, key):
            blob = self._bucket.blob(key)
            return bytes(blob.download_as_bytes(start=start, end=start + length - 1, raw_download=True))

    def download(self, key: str, into: IO[bytes]) -> None:
        with _google_errors(self.uri, key):
            self._bucket.blob(key).download_to_file(into, raw_download=True)

    def upload(self, key: str, file: IO[bytes]) -> None:
        with _google_errors(self.uri):
            self._bucket.blob(key).upload_from_file(file, size=os.stat(file.fileno()).st_size)

    def write_if(self, key: str, data: bytes, tag: str) -> str | None:
        from google.api_core.exceptions import PreconditionFailed

        blob = self._bucket.blob(key)
        with _google_errors(self.uri):
            try:
                blob.upload_from_string(data, if_generation_match=int(tag or 0))
            except PreconditionFailed:
                return None
        return str(blob.generation)

    def list(self, prefix: str) -> Iterator[str]:
        with _google_errors(self.uri):
            for blob in self._client.list_blobs(self._bucket, prefix=prefix, fields="items(name),nextPageToken"):
                yield blob.name

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError), _google_errors(self.uri, key):
            self._bucket.delete_blob(key)

    def copy(self, source: str, target: str) -> None:
        with _google_errors(self.uri, source):
            blob = self._bucket.blob(target)
            token, _, _ = blob.rewrite(self._bucket.blob(source))
            while token is not None:  # large objects are copied in steps
                token, _, _ = blob.rewrite(self._bucket.blob(source), token=token)


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
            self._client.download_fileobj(self.bucket, key, into)

    def upload(self, key: str, file: IO[bytes]) -> None:
        with _s3_errors(self.uri):
            self._client.upload_fileobj(file, self.bucket, key)

    def write_if(self, key: str, data: bytes, tag: str) -> str | None:
        condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        try:
            with _s3_errors(self.uri, key):
                return str(self._client.put_object(Bucket=self.bucket, Key=key, Body=data, **condition)["ETag"])
        except (_ConditionFailed, FileNotFoundError):  # not found: it was deleted, so has not this tag either
            return None

    def list(self, prefix: str) -> Iterator[str]:
        with _s3_errors(self.uri):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield entry["Key"]

    def delete(self, key: str) -> None:
        with _s3_errors(self.uri):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def copy(self, source: str, target: str) -> None:
        with _s3_errors(self.uri, source):
            self._client.copy({"Bucket": self.bucket, "Key": source}, self.bucket, target)


def store_and_key(uri: str) -> tuple[ObjectStore, str]:
    """The store that holds an object, and the object's key. Raises StorageError."""
    scheme, bucket, key = bucket_and_key(uri)
    return object_store(scheme, bucket), key


def object_store(scheme: str, bucket: str) -> ObjectStore:
    """The store of `scheme` (`gs` or `s3`), connected as Beam's current options say.

    Raises:
        StorageError: the client's package is not installed.
    """
    # Imported when a store is really wanted: readers of local files do without Beam.
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions

    # Beam offers no other way to ask for the options it was given.
    options = FileSystems._pipeline_options or PipelineOptions([])
    try:
        if scheme == "gs":
            return GoogleStore(f"gs://{bucket}", _google_client(options))
        return S3Store(f"s3://{bucket}", _s3_client(options))
    except ImportError as error:
        extra = REMOTE_SCHEMES[scheme]
        raise StorageError(f"{scheme}:// paths need an extra: pip install 'vellum-vl[{extra}]'") from error


# One client a process and set of options: a client keeps connections open, and making one costs up to half a
# second.
_clients: dict[tuple[Any, ...], Any] = {}


def _google_client(options: "PipelineOptions") -> Any:
    from apache_beam.io.gcp.gcsio import create_storage_client
    from apache_beam.options.pipeline_options import GoogleCloudOptions

    cloud = options.view_as(GoogleCloudOptions)
    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    key = ("gs", emulator, cloud.project, cloud.impersonate_service_account)
    if key not in _clients:
        # Without credentials Beam tries for a minute and a half; public buckets can be read at once.
        _clients[key] = create_storage_client(options, use_credentials=not emulator and _has_google_credentials())
    return _clients[key]


def _has_google_credentials() -> bool:
    import google.auth

    try:
        google.auth.default()
    except google.auth.exceptions.DefaultCredentialsError:
        return False
    return True


def _s3_client(options: "PipelineOptions") -> Any:
    from apache_beam.io.aws.clients.s3.boto3_client import Client
    from apache_beam.options.pipeline_options import S3Options

    if importlib.util.find_spec("boto3") is None:  # Beam's client would fail later, and not say why
        raise ImportError("boto3")
    s3 = options.view_as(S3Options)
    names = (
        "endpoint_url",
        "access_key_id",
        "secret_access_key",
        "session_token",
        "region_name",
        "verify",
        "disable_ssl",
    )
    key = ("s3", *(getattr(s3, f"s3_{name}") for name in names))
    if key not in _clients:
        _clients[key] = Client(options=options).client
    return _clients[key]


class _ConditionFailed(Exception):
    """The object has changed since its tag was read."""


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
    from requests.exceptions import ConnectionError as NoConnection

    try:
        yield
    except PreconditionFailed:
        raise
    except NotFound as error:
        if key is not None and "bucket does not exist" not in str(error):
            raise FileNotFoundError(f"{uri}/{key}") from error
        raise StorageError(f"there is no bucket {uri}; make it with `gcloud storage buckets create {uri}`") from error
    except (Unauthorized, GoogleAuthError) as error:
        raise StorageError(
            f"no valid Google credentials for {uri}: expected `gcloud auth application-default login`, "
            f"GOOGLE_APPLICATION_CREDENTIALS or a service account of the machine"
        ) from error
    except Forbidden as error:
        raise StorageError(f"{uri} may not be used with these credentials: {error.message}") from error
    except (GoogleAPIError, NoConnection) as error:
        raise StorageError(f"{uri} does not answer as expected: {_first_line(error)}") from error


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
            raise StorageError(f"the AWS credentials for {uri} are not valid: {_first_line(error)}") from error
        if code in ("AccessDenied", "403"):
            raise StorageError(f"{uri} may not be used with these credentials: {_first_line(error)}") from error
        raise StorageError(f"{uri} does not answer as expected: {_first_line(error)}") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StorageError(
            f"no valid AWS credentials for {uri}: expected `aws configure`, AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY, or a role of the machine"
        ) from error
    except BotoCoreError as error:
        raise StorageError(f"{uri} does not answer as expected: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
