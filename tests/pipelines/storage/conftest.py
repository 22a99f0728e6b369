from pathlib import Path

import pytest

from pipelines.storage import Storage


@pytest.fixture(params=["local", "gs", "s3"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for files: a folder, or an empty bucket of an emulator."""
    if request.param == "local":
        return str(tmp_path / "store")
    emulator = request.getfixturevalue({"gs": "gcs", "s3": "s3"}[request.param])
    return emulator.uri


@pytest.fixture
def storage(base: str) -> Storage:
    return Storage(f"{base}/v1")
