"""Emulators of Google Cloud Storage and S3: real servers on loopback, and the settings to reach them.

`gcp-storage-emulator` runs in this process with one addition: preconditions (`ifGenerationMatch`), which it ignores
but our locks need. moto's S3 server is used unchanged. Both also serve other processes: a Beam worker inherits the
environment and gets the pipeline's options.
"""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import gcp_storage_emulator.server as gcs_server
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gcp_storage_emulator.handlers import objects as gcs_objects
from google.cloud import storage as google_storage
from moto.server import ThreadedMotoServer

BUCKET = "vellum"


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running store with one empty bucket.

    Args:
        uri: the bucket, `gs://vellum` or `s3://vellum`.
        options: Beam options with which a pipeline and its workers reach it.
        environment: variables with which any process reaches it; already set in this process.
        put, get, keys: access that shares no code with the tested code.
        clear: empty the bucket.
    """

    uri: str
    options: list[str]
    environment: dict[str, str]
    put: Callable[[str, bytes], Any]
    get: Callable[[str], bytes]
    keys: Callable[[], list[str]]
    clear: Callable[[], None]


@pytest.fixture(scope="session")
def gcs_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The GCS emulator, with credentials that are valid on loopback only."""
    with pytest.MonkeyPatch.context() as patch:
        _enforce_preconditions(patch)
        server = gcs_server.create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
        server.start()
        tokens = _TokenServer()
        environment = {
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{server._api._httpd.server_port}",
            "GOOGLE_APPLICATION_CREDENTIALS": str(tokens.credentials(tmp_path_factory.mktemp("google"))),
            "GOOGLE_CLOUD_PROJECT": "vellum-test",
            "NO_GCE_CHECK": "true",  # else every client asks a metadata server that is not there
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        bucket = google_storage.Client.create_anonymous_client().bucket(BUCKET)

        def clear() -> None:
            for blob in bucket.list_blobs():
                blob.delete()

        yield Emulator(
            uri=f"gs://{BUCKET}",
            options=[],
            environment=environment,
            put=lambda key, data: bucket.blob(key).upload_from_string(data),
            get=lambda key: bucket.blob(key).download_as_bytes(),
            keys=lambda: sorted(blob.name for blob in bucket.list_blobs()),
            clear=clear,
        )
        server.stop()
        tokens.stop()


@pytest.fixture(scope="session")
def s3_session() -> Iterator[Emulator]:
    """The S3 emulator, reached through the environment, which boto3 reads, and through Beam's options."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        bucket = boto3.resource("s3").Bucket(BUCKET)
        yield Emulator(
            uri=f"s3://{BUCKET}",
            options=[
                f"--s3_endpoint_url={environment['AWS_ENDPOINT_URL_S3']}",
                "--s3_access_key_id=test",
                "--s3_secret_access_key=test",
                "--s3_region_name=us-east-1",
            ],
            environment=environment,
            put=lambda key, data: client.put_object(Bucket=BUCKET, Key=key, Body=data),
            get=lambda key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read(),
            keys=lambda: sorted(entry.key for entry in bucket.objects.all()),
            clear=lambda: bucket.objects.all().delete() and None,
        )
    server.stop()


@pytest.fixture
def gcs(gcs_session: Emulator) -> Iterator[Emulator]:
    """An empty bucket of the GCS emulator; Beam's options point to it."""
    yield from _emptied(gcs_session)


@pytest.fixture
def s3(s3_session: Emulator) -> Iterator[Emulator]:
    """An empty bucket of the S3 emulator; Beam's options point to it."""
    yield from _emptied(s3_session)


def _emptied(emulator: Emulator) -> Iterator[Emulator]:
    before = FileSystems._pipeline_options
    FileSystems.set_options(PipelineOptions(emulator.options))
    emulator.clear()
    yield emulator
    FileSystems.set_options(before)


def _enforce_preconditions(patch: pytest.MonkeyPatch) -> None:
    """Add `ifGenerationMatch` on uploads to the GCS emulator, as in the real service."""
    insert, lock = gcs_objects.insert, threading.Lock()

    def insert_if(request: Any, response: Any, storage: Any, *args: Any, **kwargs: Any) -> None:
        wanted = request.query.get("ifGenerationMatch")
        if wanted is None:
            insert(request, response, storage, *args, **kwargs)
            return
        with lock:
            bucket, name = request.params["bucket_name"], request.query.get("name", [None])[0]
            if name is None:  # a multipart upload names the object in its first part
                name = request.data["meta"]["name"]
            found = storage.objects.get(bucket, {}).get(name)
            if (found["generation"] if found else "0") != wanted[0]:
                response.status = HTTPStatus.PRECONDITION_FAILED
                response.json({"error": {"code": 412, "message": "conditionNotMet"}})
                return
            insert(request, response, storage, *args, **kwargs)

    handlers = tuple(
        (pattern, {method: insert_if if call is insert else call for method, call in methods.items()})
        for pattern, methods in gcs_server.HANDLERS
    )
    patch.setattr(gcs_server, "HANDLERS", handlers)


class _TokenServer:
    """Issues access tokens to a service account, so that Google's credential code runs without a network."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _TokenHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def credentials(self, folder: Path) -> Path:
        """Write a service account's key file, with which clients fetch their tokens here."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        account = {
            "type": "service_account",
            "project_id": "vellum-test",
            "private_key_id": "test",
            "private_key": key.decode(),
            "client_email": "test@vellum-test.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"http://127.0.0.1:{self._server.server_port}/token",
        }
        path = folder / "credentials.json"
        path.write_text(json.dumps(account))
        return path

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _TokenHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        answer = json.dumps({"access_token": "test", "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass
