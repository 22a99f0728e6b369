"""URIs of object stores: which names are URIs, and the bucket and key that they name."""

from pipelines.storage.errors import StorageError

REMOTE_SCHEMES = {"gs": "gcp", "s3": "aws"}  # scheme: the extra that brings its client


def is_remote(uri: str) -> bool:
    """Return True if `uri` names an object store.

    Raises:
        StorageError: it has a scheme that is not supported.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator or "/" in scheme:
        return False
    if scheme not in REMOTE_SCHEMES:
        raise StorageError(f"expected a folder, gs://… or s3://…, got {uri!r}")
    return True


def bucket_and_key(uri: str) -> tuple[str, str, str]:
    """Scheme, bucket and key of an object's URI. Raises StorageError if it names no bucket."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise StorageError(f"expected {scheme}://bucket/…, got {uri!r}")
    return scheme, bucket, key
