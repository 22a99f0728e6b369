"""Confinement of reader processes: what a file that takes over its reader can still do.

Landlock, of Linux 5.13 and later, bounds which files the process may open: it writes below the run's scratch folders
and reads what Python, the recipe and its inputs need. A seccomp filter refuses every socket that leaves the machine,
and looking into other processes. Neither needs rights or a package. Both last until the process and all that it starts
have ended.
"""

import ctypes
import errno
import os
import platform
import site
import struct
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipelines.recipe import Recipe
from pipelines.storage import STAGING, Storage
from pipelines.workers.office import program

SCRATCH = "VELLUM_SCRATCH"  # variable: the output's folder for half-written files
MAX_FOLDERS = 2000  # of inputs, one rule each; beyond, their common folder is allowed
MAX_ENTRIES = 200_000  # of input folders that are searched for links to files elsewhere
# Read by the interpreter and by libraries. Of /proc it is this process alone: the others' environments hold secrets.
SYSTEM = (
    *("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/nix", "/opt", "/proc/self", "/sys/devices/system"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime", "/etc/timezone", "/etc/fonts", "/etc/mime.types"),
    *("/etc/alternatives", "/etc/libreoffice", "/etc/java", "/etc/papersize", "/etc/locale.alias", "/etc/os-release"),
    *("/var/cache/fontconfig", "/var/lib/libreoffice", "/dev/urandom", "/dev/random", "/dev/zero"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm", "/proc/sys/kernel", "/proc/filesystems"),
)
OF_USER = (".fonts", ".local/share/fonts", ".cache/fontconfig", ".cache/matplotlib", ".config/matplotlib")
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF, RULESET_VERSION, PATH_BENEATH = 444, 445, 446, 1, 1
# Rights of <linux/landlock.h>, by the version of the interface that brought them.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL_DEV = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR
TCP = 0b11  # bind and connect, refused from version 4 on
OTHER_DOMAINS = 0b11  # abstract sockets of, and signals to, processes outside; refused from version 6 on
# Audit architecture, and numbers of socket, ptrace, process_vm_readv, process_vm_writev, pidfd_getfd, io_uring_setup.
CALLS = {
    "x86_64": (0xC000003E, 41, (101, 310, 311, 438, 425)),
    "aarch64": (0xC00000B7, 198, (117, 270, 271, 438, 425)),
}
X32_BIT = 0x40000000  # system calls of x86_64 in another numbering
AF_UNIX = 1
OFFICE = "office"


class _Path(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def let_readers_write(storage: Storage) -> None:
    """Tell the readers that this process starts where the output has its scratch folders."""
    if storage.is_local:
        os.environ[SCRATCH] = storage.path(f"{STAGING}/tmp")


def gaps(recipe: Recipe) -> list[str]:
    """Sentences about what readers of a recipe are not kept from; none if they are confined."""
    needs = _needs(recipe)
    if OFFICE in needs:
        return ["readers are not confined: they start LibreOffice for office documents, which does not run confined"]
    if "browser" in needs:
        return ["readers are not confined: they start Chromium, whose own sandbox holds what web pages run"]
    found = []
    if _version() < 1:
        found.append("readers may open any file of this user: the kernel has no Landlock")
    if "network" in needs:
        found.append("readers may use the network: the recipe lets them fetch images")
    elif platform.machine() not in CALLS or sys.platform != "linux":
        found.append(f"readers may use the network: no system calls are known for {platform.machine()}")
    return found


def _needs(recipe: Recipe) -> set[str]:
    """The things that the recipe's readers must be allowed: as `Source.reader_needs`, and LibreOffice if it is here."""
    office = {OFFICE} if any(source.convertible for source in recipe.sources) and program() else set()
    return office | {source.reader_needs() for source in recipe.sources}


def confine(recipe: Recipe) -> None:
    """Confine this process, as far as the system can and the recipe's sources allow. Called before other threads start.

    Raises:
        OSError: the kernel has what is needed, and refuses.
    """
    needs = _needs(recipe)
    if {"browser", OFFICE} & needs or sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if _version() >= 1:
        _confine_files(libc, readable(recipe), writable(), is_offline="network" not in needs)
    if "network" not in needs and platform.machine() in CALLS:
        _refuse_calls(libc)


def writable() -> list[str]:
    """The folders that a reader writes to: the output's scratch folder, and the run's temporary one."""
    scratch = os.environ.get(SCRATCH)
    if scratch:
        Path(scratch).mkdir(parents=True, exist_ok=True)
    return [*filter(None, [scratch]), tempfile.gettempdir(), "/dev/null"]


def readable(recipe: Recipe) -> list[str]:
    """Files and folders that a reader opens: of Python, of the system, and those that the recipe names."""
    of_python = [*sys.path, sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages()]
    home = Path.home()
    scratch = os.environ.get(SCRATCH)
    staging = [str(Path(scratch).parent)] if scratch else []
    inputs = list(_input_folders(recipe))
    if len(inputs) > MAX_FOLDERS:
        inputs = [os.path.commonpath(inputs)]
    named = [text for text in _texts(recipe.to_json(secrets=True)) if text and os.path.lexists(text)]
    elsewhere = _linked((*inputs, *named))
    of_user = [str(home / name) for name in OF_USER]
    return list(dict.fromkeys([*filter(None, of_python), *SYSTEM, *of_user, *staging, *inputs, *named, *elsewhere]))


def _texts(value: Any) -> Iterator[str]:
    """All texts in plain data."""
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(each)


def _input_folders(recipe: Recipe) -> Iterator[str]:
    """The folders, without wildcards, that hold the local inputs of a recipe."""
    names = [name for source in recipe.sources for name in source.input]
    lists = [name[1:] for name in names if name.startswith("@") and _is_local(name[1:])]
    for place in lists:
        try:
            names += Path(place).read_text(errors="surrogateescape").split("\n")
        except OSError:  # said by those who list the inputs
            continue
    folders: dict[str, None] = {}
    for name in names:
        if name.strip() and not name.startswith("@") and _is_local(name):
            path = Path(name.strip().removeprefix("file://"))
            fixed = next((k for k, part in enumerate(path.parts) if any(sign in part for sign in "*?[")), None)
            path = path if fixed is None else Path(*path.parts[:fixed])
            folders[os.path.abspath(path if path.is_dir() else path.parent)] = None  # noqa: PTH100  # links stay
    yield from folders


def _is_local(name: str) -> bool:
    """Return False for places in stores and on the web."""
    return "://" not in name or name.startswith("file://")


def _linked(folders: Iterable[str]) -> Iterator[str]:
    """Folders outside of these that links below them lead to: Landlock goes by the place where a file really is."""
    num_entries = 0
    waiting = [folder for folder in folders if Path(folder).is_dir()]
    seen = {os.path.realpath(folder) for folder in waiting}
    while waiting and num_entries < MAX_ENTRIES:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    num_entries += 1
                    if entry.is_symlink():
                        target = os.path.realpath(entry.path)
                        is_folder = Path(target).is_dir()
                        if target not in seen:
                            seen.add(target)
                            yield target
                            waiting += [target] if is_folder else []
                    elif entry.is_dir():
                        waiting.append(entry.path)
        except OSError:
            continue


def _version() -> int:
    """The version of the kernel's Landlock; 0 or less without one."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(RULESET_VERSION)))


def _confine_files(libc: Any, to_read: Iterable[str], to_write: Iterable[str], *, is_offline: bool) -> None:
    version = _version()
    rights = ALL_RIGHTS[max(known for known in ALL_RIGHTS if known <= version)]
    attributes = [rights]
    attributes += [TCP if is_offline else 0] if version >= 4 else []
    attributes += [OTHER_DOMAINS] if version >= 6 else []
    packed = struct.pack(f"={len(attributes)}Q", *attributes)
    ruleset = _check(libc.syscall(CREATE_RULESET, packed, ctypes.c_size_t(len(packed)), ctypes.c_uint32(0)))
    try:
        for path in to_read:
            _allow(libc, ruleset, path, rights & READ)
        for path in to_write:
            _allow(libc, ruleset, path, rights)
        _check(libc.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint32(0)))
    finally:
        os.close(ruleset)


def _allow(libc: Any, ruleset: int, path: str, rights: int) -> None:
    """Allow rights at a file, or at a folder and all below it; a path that is not there needs no rule."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not Path(path).is_dir():
            rights &= OF_FILES
        rule = _Path(rights=rights, folder=place)
        _check(libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0)))
    finally:
        os.close(place)


def _refuse_calls(libc: Any) -> None:
    """Let sockets other than those of this machine, and looking into other processes, fail with EACCES."""
    architecture, socket, others = CALLS[platform.machine()]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06  # BPF: LD word, JEQ, JGE, RET
    refuse, allow = 0x00050000 | errno.EACCES, 0x7FFF0000
    instructions = [
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, architecture),
        (give, 0, 0, refuse),
        (load, 0, 0, 0),  # the call's number
        (at_least, 0, 1, X32_BIT),
        (give, 0, 0, refuse),
        *((equal, len(others) - k + 2, 0, call) for k, call in enumerate(others)),  # to the refusal at the end
        (equal, 0, 3, socket),
        (load, 0, 0, 16),  # its first argument, the family
        (equal, 1, 0, AF_UNIX),
        (give, 0, 0, refuse),
        (give, 0, 0, allow),
    ]
    data = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(data)
    argument = _Filter(length=len(instructions), instructions=ctypes.addressof(buffer))
    _check(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(argument), 0, 0))


def _check(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"the reader cannot be confined: {os.strerror(ctypes.get_errno())}")
    return result
