import os, glob, fcntl, shutil
from contextlib import contextmanager
from pathlib import Path


class StorageError(RuntimeError):
    pass


class OutputInUse(StorageError):
    pass


class Storage:
    def __init__(self, root):
        self.root = str(root)
        self.is_local = True

    def path(self, r):
        return os.path.join(self.root, r)

    def exists(self, r):
        return os.path.exists(self.path(r))

    def read_bytes(self, r):
        return Path(self.path(r)).read_bytes()

    def open(self, r):
        return open(self.path(r), "rb")

    @contextmanager
    def create(self, r):
        p = self.path(r)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        t = p + ".tmp"
        with open(t, "wb") as f:
            yield f
        os.replace(t, p)

    def write_bytes(self, r, d):
        with self.create(r) as f:
            f.write(d)

    def publish_file(self, local, r):
        p = self.path(r)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        os.replace(local, p)

    @contextmanager
    def local_file(self, r, scratch):
        yield Path(self.path(r))

    def list(self, prefix):
        base = self.path(prefix)
        out = []
        for d, _, fs in os.walk(base):
            out += [os.path.relpath(os.path.join(d, f), self.root) for f in fs]
        return sorted(out)

    def delete(self, r):
        try:
            os.remove(self.path(r))
        except FileNotFoundError:
            pass

    def move(self, a, b):
        os.makedirs(os.path.dirname(self.path(b)) or ".", exist_ok=True)
        os.replace(self.path(a), self.path(b))

    @contextmanager
    def lock(self):
        os.makedirs(self.path(".staging"), exist_ok=True)
        with open(self.path(".staging/lock"), "w") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise OutputInUse("the output is in use")
            yield


def is_folder(p):
    return os.path.isdir(p)


def match(p):
    if p.endswith("/"):
        for d, _, fs in os.walk(p):
            yield from sorted(os.path.join(d, f) for f in fs)
    else:
        yield from sorted(glob.glob(p, recursive=True))


def fetch(uri, into):
    return Path(uri)
