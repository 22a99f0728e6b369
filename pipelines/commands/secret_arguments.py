"""Secrets on a command line: kept out of the list of processes, out of what travels, and warned of."""

import ctypes
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines.recipe import Recipe, UsageError

# Options of Beam, and the variables that the clients of stores read in their place.
S3_KEYS = {
    "--s3_access_key_id": "AWS_ACCESS_KEY_ID",
    "--s3_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "--s3_session_token": "AWS_SESSION_TOKEN",
}
OF_PROCESS = Path("/proc/self/stat")
ARG_START, ARG_END = 45, 46  # in this file behind the process's name: where the kernel reads its command line


def take_keys(beam_args: Sequence[str], *, is_local: bool) -> tuple[list[str], list[str]]:
    """Move the keys of stores from Beam's options to the environment, which only this user's processes can read.

    For a cluster they stay: its workers have another environment.

    Returns:
        The options that are left, and warnings.
    """
    left, found = [], {}
    words = iter(beam_args)
    for word in words:
        name, equals, value = word.partition("=")
        if name not in S3_KEYS:
            left.append(word)
            continue
        found[name] = value if equals else next(words, "")
    hide(value for name, value in found.items() if name != "--s3_access_key_id")
    if is_local:
        os.environ |= {S3_KEYS[name]: value for name, value in found.items()}
        return left, []
    if "--s3_secret_access_key" not in found:
        return list(beam_args), []
    warning = "--s3_secret_access_key is part of the job, and shown by the runner"
    return list(beam_args), [f"{warning}; set AWS_SECRET_ACCESS_KEY here and in the environment of the workers"]


def take_spoken(recipe: Recipe, *, is_local: bool) -> tuple[dict[str, str], list[str]]:
    """The variables of the environment in which a recipe's own secrets reach the processes of its run.

    Returns:
        The variables, and warnings.
    Raises:
        UsageError: the workers are on other machines, to which secrets do not travel; or a file of secrets is lost.
    """
    try:
        recipe.to_json(secrets=True)
    except ValueError as error:
        raise UsageError(str(error)) from error
    spoken = recipe.spoken_secrets()
    if spoken and not is_local:
        raise UsageError(
            f"secrets of a recipe do not travel to other machines; set {' and '.join(spoken)} in the environment of "
            "the workers, or name a file that they have: @FILE"
        )
    warnings = [
        f"secrets on the command line can be read by everyone on this machine, and stay in the shell's history; "
        f"set {variable}, or name a file: @FILE"
        for variable, secrets in spoken.items()
        if hide(secrets)
    ]
    lines = {v: "\n".join([*held, *filter(None, [os.environ.get(v)])]) for v, held in spoken.items()}
    return lines, warnings


def hide(secrets: Iterable[str]) -> bool:
    """Write `x` over secrets in this process's command line, as the list of processes shows it.

    Returns:
        Whether there was one.
    """
    try:
        fields = OF_PROCESS.read_text().rpartition(")")[2].split()
    except OSError:  # not Linux
        return False
    start, end = int(fields[ARG_START]), int(fields[ARG_END])
    if not 0 < start < end:
        return False
    shown = ctypes.string_at(start, end - start)
    is_found = False
    for secret in filter(None, (text.encode(errors="surrogateescape") for text in secrets)):
        place = shown.find(secret)
        while place >= 0:
            is_found = True
            ctypes.memset(start + place, ord("x"), len(secret))
            place = shown.find(secret, place + len(secret))
    return is_found
