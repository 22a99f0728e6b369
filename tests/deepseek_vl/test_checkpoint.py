"""Checkpoints: round trips, error messages, the hub, memory."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from deepseek_vl import checkpoint, convert
from deepseek_vl.checkpoint import CheckpointError
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from tests.deepseek_vl import tiny

pytestmark = pytest.mark.slow

WEIGHTS = "model.safetensors"
ROOT = Path(__file__).resolve().parents[2]


def load(folder: Path | str) -> DeepseekVL:
    return checkpoint.load(folder, device=tiny.CPU, dtype=torch.float32)


def same(one: DeepseekVL, other: DeepseekVL) -> bool:
    return one.config == other.config and all(
        torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.write_checkpoint(tmp_path / "whole", tiny.HYBRID)
    return tmp_path / "whole"


@pytest.mark.parametrize("kind", tiny.CONFIGS)
@pytest.mark.parametrize("layout", checkpoint.LAYOUTS)
@pytest.mark.parametrize("max_shard_bytes", [10**9, 20_000])
def test_a_written_checkpoint_reads_back(kind: str, layout: str, max_shard_bytes: int, tmp_path: Path) -> None:
    model = tiny.model(tiny.CONFIGS[kind])
    checkpoint.save(model, tmp_path, layout=layout, max_shard_bytes=max_shard_bytes)
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) == (max_shard_bytes == 20_000)
    assert same(load(tmp_path), model)
    assert not list(tmp_path.glob(".*"))


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        checkpoint.save(tiny.model(tiny.HYBRID), tmp_path / name, max_shard_bytes=20_000)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


def test_the_tokenizer_travels_with_a_converted_checkpoint(folder: Path, tmp_path: Path) -> None:
    checkpoint.save(load(folder), tmp_path / "out", layout="authors", tokenizer_from=folder)
    assert Processor.load(tmp_path / "out").config == tiny.HYBRID


@pytest.mark.parametrize(
    ("stored", "kept"),
    [("float16", "float16"), ("bfloat16", "bfloat16"), ("float32", "float32"), ("float64", "float32")],
)
def test_a_conversion_keeps_the_type_of_the_weights(stored: str, kept: str, folder: Path, tmp_path: Path) -> None:
    weights = {name: tensor.to(getattr(torch, stored)) for name, tensor in load_file(folder / WEIGHTS).items()}
    save_file(weights, folder / WEIGHTS)
    for source, target, layout in ((folder, "there", "authors"), (tmp_path / "there", "back", "native")):
        assert convert.main([str(source), str(tmp_path / target), "--layout", layout]) == 0
    back = load_file(tmp_path / "back" / WEIGHTS)
    assert {tensor.dtype for tensor in back.values()} == {getattr(torch, kept)}
    assert all(torch.equal(back[name], tensor.to(back[name].dtype)) for name, tensor in weights.items())


def test_earlier_names_of_the_native_layout_are_read(folder: Path) -> None:
    model = load(folder)
    tensors = load_file(folder / "model.safetensors")
    renamed = {re.sub(r"^model\.vision_model\.", "model.vision_model.vision_model.", k): v for k, v in tensors.items()}
    save_file(renamed, folder / "model.safetensors")
    assert same(load(folder), model)


def change_tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors")

    return damage


def change_config(**values: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        config.update(values)
        (folder / "config.json").write_text(json.dumps(config))

    return damage


def index(weight_map: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / checkpoint.INDEX).write_text(json.dumps({"weight_map": weight_map}))

    return damage


def only_a_pickle(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def truncated(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


ALPHA = "model.high_res_vision_alpha"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change_tensors(lambda t: t.pop(ALPHA)), rf"{ALPHA} is missing"),
        (change_tensors(lambda t: t.update(stray=torch.ones(1))), r"stray is unexpected"),
        (change_tensors(lambda t: t.update({ALPHA: torch.ones(2)})), rf"{ALPHA} is \(2,\), expected \(1,\)"),
        (
            change_tensors(lambda t: t.update({ALPHA: torch.ones(1, dtype=torch.int8)})),
            rf"{ALPHA} is of type I8; expected weights of type F32",
        ),
        (change_tensors(lambda t: t.pop("model.language_model.embed_tokens.weight")), r"neither layout"),
        (truncated, r"model\.safetensors is not a whole safetensors file"),
        (only_a_pickle, r"pytorch_model\.bin is a pickle"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"no \*\.safetensors file"),
        (
            lambda folder: (folder / "more.safetensors").write_bytes((folder / "model.safetensors").read_bytes()),
            "also in",
        ),
        (index({"a": "../outside.safetensors"}), r"'\.\./outside\.safetensors' is not the name of a file beside it"),
        (index({"a": "absent.safetensors"}), r"the shard absent\.safetensors, which .* lists, is missing"),
        (index({"a": "x" * 300}), r"is not the name of a file beside it"),
        (index(["a"]), r"expected a `weight_map`"),
        (lambda folder: (folder / "config.json").unlink(), r"config\.json is missing"),
        (lambda folder: (folder / "config.json").write_text("{"), r"config\.json is not valid JSON"),
        (lambda folder: (folder / "config.json").write_text("[" * 100_000), r"config\.json is not valid JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), r"expected an object, got list"),
        (change_config(model_type="llava"), r"model_type is 'llava'; expected one of"),
        (change_config(vision_config={}), r"hidden_act is 'gelu_pytorch_tanh'; expected the exact 'gelu'"),
        (change_config(text_config={"num_key_value_heads": 1}), r"num_key_value_heads is 1, which no DeepSeek-VL has"),
        (change_config(text_config={"hidden_size": "wide"}), r"config\.json: "),
        (change_config(text_config=None), r"config\.json: "),
    ],
)
def test_a_damaged_checkpoint_is_named(damage: Callable[[Path], None], message: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=message) as raised:
        load(folder)
    assert str(folder) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("source", ["nowhere", "a/b/c", "./no/folder", "/nowhere/else"])
def test_what_is_neither_folder_nor_hub_id_is_rejected(source: str) -> None:
    with pytest.raises(CheckpointError, match="neither a folder nor a hub id"):
        load(source)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "tokenizer.json").unlink(), r"tokenizer\.json cannot be read"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), r"tokenizer\.json is not a tokenizer"),
        (change_config(image_token_id=7), r"<image_placeholder> is 2; expected 7"),
    ],
)
def test_a_tokenizer_that_does_not_fit_is_rejected(damage: Callable[[Path], None], message: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        Processor.load(folder)


@pytest.fixture
def hub(folder: Path) -> Iterator[str]:
    """Serve a hub on loopback with one repository, `tiny/model`."""
    commit = "0123456789012345678901234567890123456789"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/api/models/tiny/model/tree/"):
                listed = [{"type": "file", "path": n, "oid": n, "size": len(data)} for n, data in files.items()]
                self.answer(json.dumps(listed).encode())
            elif self.path.startswith("/api/models/tiny/model"):
                siblings = [{"rfilename": name} for name in files]
                self.answer(json.dumps({"id": "tiny/model", "sha": commit, "siblings": siblings}).encode())
            elif self.path.startswith("/tiny/model/resolve/") and self.path.rsplit("/", 1)[1] in files:
                self.answer(files[self.path.rsplit("/", 1)[1]])
            else:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

        do_HEAD = do_GET

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{len(body)}-{hash(body)}"')
            self.send_header("X-Repo-Commit", commit)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_hub_id_is_fetched_and_an_unknown_one_is_rejected(hub: str, tmp_path: Path) -> None:
    code = """
import sys, torch
from deepseek_vl import checkpoint
try:
    model = checkpoint.load(sys.argv[1], device=torch.device("cpu"), dtype=torch.float32)
    print(sum(p.double().sum().item() for p in model.parameters()))
except checkpoint.CheckpointError as error:
    print(error)
"""

    def run(name: str) -> str:
        env = {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "hub"), "PATH": "/usr/bin:/bin", "HF_HUB_DISABLE_XET": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code, name], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    expected = sum(p.double().sum().item() for p in tiny.model(tiny.HYBRID).parameters())
    assert float(run("tiny/model")) == pytest.approx(expected)
    assert "tiny/other is no folder here and cannot be fetched from the hub" in run("tiny/other")


def test_loading_needs_the_memory_of_the_model_and_of_one_tensor(tmp_path: Path) -> None:
    """A process that may allocate 1.3 times the weights can load them; one that may allocate 0.9 times cannot."""
    code = """
import resource, sys, torch
from dataclasses import replace
from pathlib import Path
from deepseek_vl import checkpoint
from deepseek_vl.config import preset
from deepseek_vl.model import DeepseekVL
folder, cpu = Path(sys.argv[1]), torch.device("cpu")
torch.set_num_threads(1)
nano = preset("nano")
config = replace(nano, language=replace(nano.language, layers=12))
checkpoint.save(DeepseekVL.random(config, 0, device=cpu, dtype=torch.bfloat16), folder)
checkpoint.load(folder, device=cpu, dtype=torch.bfloat16)  # everything is imported before it is limited
size = (folder / "model.safetensors").stat().st_size
used = int(open("/proc/self/status").read().split("VmData:")[1].split()[0]) * 1024
for share in (0.9, 1.3):
    resource.setrlimit(resource.RLIMIT_DATA, (used + int(share * size), resource.RLIM_INFINITY))
    try:
        checkpoint.load(folder, device=cpu, dtype=torch.bfloat16)
        print(share, "loaded")
    except RuntimeError as error:
        print(share, "refused" if "allocate" in str(error) else error)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["0.9 refused", "1.3 loaded"], done.stderr
