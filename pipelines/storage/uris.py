"""Which names are those of object stores, and which store and key they mean."""

from typing import TYPE_CHECKING

from pipelines.storage.errors import StorageError

if TYPE_CHECKING:
    from pipelines.storage.object_store import ObjectStore

REMOTE_SCHEMES = {"gs": "gcp", "s3": "aws"}  # scheme: the extra that brings its client


def is_remote(uri: str) -> bool:
    """Whether `uri` names an object store.

    Raises:
        StorageError: it has a scheme that is not supported.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator or "/" in scheme:
        return False
    if scheme not in REMOTE_SCHEMES:
        raise StorageError(f"expected a folder, gs://… or s3://…, got {uri!r}")
    return True


def store_and_key(uri: str) -> "tuple[ObjectStore, str]":
    from pipelines.storage.object_store import object_store  # brings in Beam, which readers do without

    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise StorageError(f"expected {scheme}://bucket/…, got {uri!r}")
    return object_store(scheme, bucket), key
