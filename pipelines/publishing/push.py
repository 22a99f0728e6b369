"""The upload to the hub, in commits of some files each: what the hub has already is never sent again.

A killed upload, started again, lists the files on the hub and goes on with what is missing. Card, Croissant and
manifest come last, in the commit that also removes files of an older version.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from pipelines.publishing.files import ABOUT, PublishedFile, blob_id
from pipelines.storage import OutputError, Storage, fetch

COMMIT_FILES = 64  # the hub suggests 50 to 100
COMMIT_BYTES = 2_000_000_000  # what is lost if a commit fails, and what a store's files take on this disk
OURS = ("data/", "ledger/", "errors/", "report/")  # folders in which files of older versions are removed
REPO_TYPE = "dataset"

# The client's library for HTTP has been httpx and httpx2; its errors are a base of the hub's.
CLIENT_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    *(cls for cls in HfHubHTTPError.__mro__ if cls.__module__.startswith("httpx") and issubclass(cls, Exception)),
)


class HubError(OutputError):
    """The hub cannot be reached, or refuses; the message is one sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pushed:
    """The result of an upload.

    Args:
        uri: address of the data set's page.
        num_sent, num_there: files that were sent, and those that the hub had.
        num_removed: files of an older version that were removed.
    """

    uri: str
    num_sent: int
    num_there: int
    num_removed: int
    num_commits: int


def push(
    storage: Storage,
    files: Sequence[PublishedFile],
    repo: str,
    *,
    token: str,
    endpoint: str | None = None,
    private: bool = True,
    title: str = "Vellum",
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Pushed:
    """Send the files of an output to a data set of the hub, which is made if there is none.

    Args:
        repo: `organisation/name`.
        endpoint: address of the hub; None for the public one.
        private: the visibility of a new data set; one that is there keeps its own.
        report: called with the bytes that were sent and all that must be.
    Raises:
        HubError: the hub refuses or cannot be reached, or a file is not as the manifest says.
    """
    with _explained(repo), _without_bars():
        api = HfApi(endpoint=endpoint, token=token, library_name="vellum")
        api.create_repo(repo, repo_type=REPO_TYPE, private=private, exist_ok=True)
        there = _files_of(api, repo)
        missing = [file for file in files if not _is_there(storage, file, there.get(file.path))]
        known = {file.path for file in files}
        old = sorted(path for path in there if path.startswith(OURS) and path not in known)
        commits = list(_commits(missing))
        if old and (not commits or commits[-1][0].path not in ABOUT):
            commits.append([])
        total, sent = sum(file.size for file in missing), 0
        for number, chosen in enumerate(commits):
            report(sent, total)
            is_last = number == len(commits) - 1
            name = title if is_last else f"{title} (part {number + 1} of {len(commits)})"
            _commit(api, storage, repo, chosen, old if is_last else [], name)
            sent += sum(file.size for file in chosen)
        report(sent, total)
        return Pushed(
            uri=f"{api.endpoint}/datasets/{repo}",
            num_sent=len(missing),
            num_there=len(files) - len(missing),
            num_removed=len(old),
            num_commits=len(commits),
        )


def _commit(
    api: HfApi, storage: Storage, repo: str, files: Sequence[PublishedFile], old: Sequence[str], title: str
) -> None:
    with tempfile.TemporaryDirectory(prefix="vellum-push-") as folder:
        additions = []
        for k, file in enumerate(files):
            local = fetch(storage.path(file.path), Path(folder) / f"{k}")
            additions.append(CommitOperationAdd(path_in_repo=file.path, path_or_fileobj=local))
        api.preupload_lfs_files(repo, additions, repo_type=REPO_TYPE)
        for file, addition in zip(files, additions, strict=True):
            if file.sha256 is not None and addition.upload_info.sha256.hex() != file.sha256:
                raise HubError(f"{file.path} is not as the manifest says, and was not published; see `vellum verify`")
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete]
        operations = [*additions, *(CommitOperationDelete(path_in_repo=path) for path in old)]
        api.create_commit(repo, operations, commit_message=title, repo_type=REPO_TYPE)


def _commits(files: Sequence[PublishedFile]) -> Iterator[list[PublishedFile]]:
    """Files by commit: data first, what describes it last."""
    pending: list[PublishedFile] = []
    num_bytes = 0
    for file in sorted(files, key=lambda file: (file.path in ABOUT, file.path)):
        is_full = len(pending) == COMMIT_FILES or num_bytes + file.size > COMMIT_BYTES
        if pending and (is_full or (file.path in ABOUT) != (pending[-1].path in ABOUT)):
            yield pending
            pending, num_bytes = [], 0
        pending.append(file)
        num_bytes += file.size
    if pending:
        yield pending


def _is_there(storage: Storage, file: PublishedFile, found: RepoFile | None) -> bool:
    """Return True if the hub has this content: by the digest of large files, by git's name of small ones."""
    if found is None or found.size != file.size:
        return False
    if found.lfs is not None and file.sha256 is not None:
        return bool(found.lfs.sha256 == file.sha256)
    data = storage.read_bytes(file.path)
    if found.lfs is not None:
        return bool(found.lfs.sha256 == hashlib.sha256(data).hexdigest())
    return bool(found.blob_id == blob_id(data))


def _files_of(api: HfApi, repo: str) -> dict[str, RepoFile]:
    """The files that the hub has, by path."""
    entries = api.list_repo_tree(repo, recursive=True, repo_type=REPO_TYPE)
    return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}


@contextmanager
def _without_bars() -> Iterator[None]:
    """No progress bars of the client, which would be one per file."""
    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Turn the hub's errors into sentences. What was committed before stays there."""
    reasons: Mapping[int, str] = {
        401: "the hub does not accept the token in HF_TOKEN",
        403: f"the token in HF_TOKEN may not write to {repo}; it needs the role `write`",
        413: "the hub finds a request too large",
        429: "the hub asks for fewer requests; try again later",
    }
    try:
        yield
    except HFValidationError as error:
        raise HubError(f"{repo!r} is no name of a data set; expected organisation/name: {error}") from error
    except RepositoryNotFoundError as error:
        raise HubError(f"there is no data set {repo}, or the token in HF_TOKEN may not see it") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        reason = reasons.get(status, f"the hub answered with {status}: {str(error).strip().splitlines()[-1]}")
        raise HubError(f"{reason}; the same command goes on with what is missing") from error
    except CLIENT_ERRORS as error:
        if isinstance(error, OutputError):
            raise
        cause = error.__cause__ or error
        raise HubError(f"the hub cannot be reached: {cause}; the same command goes on with what is missing") from error
