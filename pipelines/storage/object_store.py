"""Connections to object stores, as Beam's pipeline options say: `--s3_endpoint_url`, impersonation and the like.

Calls are made on the clients themselves, as Beam's `FileSystems` lacks or breaks what is needed here (2.77):
no conditional write (a lock needs one), a new client for each call, `delete` and `match` take `[` and `*` in
an object's name for wildcards, `open` decompresses names ending in `.gz`, an empty S3 object cannot be
written, and a writer that an error leaves behind is finished by the garbage collector: half a file appears
under its final name.
"""

import os
from typing import TYPE_CHECKING, Any

from pipelines.storage.base_store import ABSENT, Head, ObjectStore
from pipelines.storage.errors import StorageError
from pipelines.storage.google_store import GoogleStore
from pipelines.storage.retry import RetryingStore
from pipelines.storage.s3_store import S3Store
from pipelines.storage.uris import REMOTE_SCHEMES, bucket_and_key
from sources.optional_dependencies import how_to_install

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

__all__ = ["ABSENT", "Head", "ObjectStore", "object_store", "store_and_key"]


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
            return RetryingStore(GoogleStore(f"gs://{bucket}", _google_client(options)))
        return RetryingStore(S3Store(f"s3://{bucket}", _s3_client(options)))
    except ImportError as error:
        extra = REMOTE_SCHEMES[scheme]
        raise StorageError(f"{scheme}:// paths need an extra: {how_to_install(extra)}") from error


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
    """A client as Beam makes it, which offers no way to switch the client's own retries off."""
    import boto3
    from apache_beam.options.pipeline_options import S3Options
    from botocore.config import Config

    s3 = options.view_as(S3Options)
    settings = {
        "endpoint_url": s3.s3_endpoint_url,
        "aws_access_key_id": s3.s3_access_key_id,
        "aws_secret_access_key": s3.s3_secret_access_key,
        "aws_session_token": s3.s3_session_token,
        "region_name": s3.s3_region_name,
        "api_version": s3.s3_api_version,
        "verify": s3.s3_verify,
        "use_ssl": not s3.s3_disable_ssl,
    }
    key = ("s3", *settings.values())
    if key not in _clients:
        once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        _clients[key] = boto3.session.Session().client("s3", config=once, **settings)
    return _clients[key]
