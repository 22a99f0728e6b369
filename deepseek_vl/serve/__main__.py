"""`python -m deepseek_vl.serve`: parses the command line and runs the server."""

import argparse
import dataclasses
import functools
import ipaddress
import os
import signal
import socket
import sys
import time
import warnings
from collections.abc import Sequence
from typing import TextIO

from deepseek_vl import quantization
from deepseek_vl.checkpoint import CheckpointError, digest, find, load
from deepseek_vl.device import pick, pick_dtype
from deepseek_vl.engine import Engine
from deepseek_vl.packing import pack
from deepseek_vl.processor import Processor
from deepseek_vl.scoring import Scorer
from sources.terminal import escaping

try:
    import uvicorn

    from deepseek_vl.serve.app import App
    from deepseek_vl.serve.connections import Config, ConnectionLimits, affordable_connections, quiet_logs
    from deepseek_vl.serve.settings import Settings
    from deepseek_vl.serve.worker import Worker
except ImportError as error:
    if __name__ != "__main__":
        raise
    sys.exit(
        f"error: {error}; the server needs the extra serve: "
        "pip install -e '.[serve]' in the checkout, or pip install 'FILE.whl[serve]' with Vellum's wheel"
    )

DONE, FAILED, WRONG_USAGE = 0, 1, 2
PROG = "python -m deepseek_vl.serve"
EXAMPLES = """\
examples:
  %(prog)s --model deepseek-community/deepseek-vl-1.3b-chat
  %(prog)s --model checkpoints/mine --port 9000 --rows 16
  VELLUM_API_KEY=secret %(prog)s --model checkpoints/mine --host 0.0.0.0"""
KEY_VARIABLE = "VELLUM_API_KEY"
ROWS = {"cpu": 4, "cuda": 8}  # half of the rows on a CPU, where a cache for eight would take 26 GB at full length
CHUNK_TOKENS = {"cpu": 32, "cuda": 512}  # costs about as much as a decoding step, so that streams do not falter
BACKLOG = 1024
CACHED_IMAGES = 64  # for conversations with further turns; 2.4 MB each for 1.3b


class Server(uvicorn.Server):
    """An HTTP server that tells the worker as soon as it begins to stop."""

    def __init__(self, config: uvicorn.Config, worker: Worker, grace_s: float):
        super().__init__(config)
        self.worker, self.grace_s = worker, grace_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and let many connections wait in the kernel; asyncio accepts few at once, so that files suffice."""
        await super().startup(sockets)
        for listening in sockets or []:
            listening.listen(BACKLOG)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.worker.start_shutdown(self.grace_s)
        await super().shutdown(sockets)


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Serve until stopped, and return the exit code: 0 stopped, 1 failed, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    warnings.filterwarnings("ignore", module="PIL")  # about damaged images; the client gets an error instead
    try:
        device = pick(args.device)
        dtype = pick_dtype(args.dtype, device, quantized=args.quantize is not None)
        family, address = _resolve(args.host, args.port)
        rows = args.rows or ROWS.get(device.type, ROWS["cuda"])
        settings = _settings(args, rows, ipaddress.ip_address(address[0]).is_loopback)
        limits = ConnectionLimits(max_connections=affordable_connections(args.max_connections), head_s=args.header_s)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE
    try:
        processor = Processor.load(args.model)
        settings = _fitted(settings, processor.config.language.max_positions)
        listening = socket.create_server(address, family=family, backlog=BACKLOG)
        access_log = _open_log(args.access_log)
    except (CheckpointError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED

    url = f"http://{f'[{args.host}]' if ':' in args.host else args.host}:{listening.getsockname()[1]}"

    def load_model() -> tuple[Engine, Scorer]:
        started = time.monotonic()
        model = load(args.model, device=device, dtype=dtype, quantize=args.quantize)
        pack(model)
        engine = Engine(
            model,
            processor,
            rows=rows,
            slots=settings.context_tokens,
            chunk_tokens=args.chunk_tokens or CHUNK_TOKENS.get(device.type, CHUNK_TOKENS["cuda"]),
            cached_images=CACHED_IMAGES,
            prefix_tokens=args.prefix_tokens,
            compiled=args.compiled,
        )
        app.identity = {
            "digest": digest(find(args.model)),
            "dtype": str(dtype).removeprefix("torch."),
            "quantize": args.quantize,
        }
        print(f"ready: {settings.model} loaded in {time.monotonic() - started:.1f} s", flush=True)
        return engine, Scorer(model, processor, compiled=args.compiled)

    def stop_server() -> None:
        server.should_exit = True

    worker = Worker(load_model, stop_server)
    app = App(worker, processor, settings, access_log)
    config = Config(
        app,
        limits,
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,  # the default would close the handlers of a program that calls `main`
        log_level="warning",
        timeout_graceful_shutdown=round(args.shutdown_s) + 5,
    )
    server = Server(config, worker, args.shutdown_s)
    connections = server.server_state.connections
    app.metrics.gauge("vellum_connections", "Open connections.", lambda: len(connections))
    print(f"listening on {url} (a web page, and {url}/v1 for clients); loading {settings.model}", flush=True)
    # uvicorn raises the signal again after it has stopped; exit normally then.
    previous_handler = signal.signal(signal.SIGTERM, lambda *_: sys.exit(DONE))
    try:
        with quiet_logs("asyncio", "uvicorn.error", "deepseek_vl.serve.worker"):
            server.run(sockets=[listening])
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    finally:
        signal.signal(signal.SIGTERM, previous_handler)
    if worker.failure:
        print(f"error: {worker.failure}", file=sys.stderr)
        return FAILED
    return DONE


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        description="Serve a model: OpenAI-compatible chat with images, scoring, and a web page.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    limits = Settings(model="")
    option = parser.add_argument
    number = functools.partial(option, type=_positive, metavar="N")
    option("--model", required=True, metavar="DIR|ID", help="a checkpoint's folder, or a hub id (owner/name)")
    option("--name", help="the model's name in requests (default: the folder's name, or the hub id)")
    option("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)")
    option("--port", type=_port, default=8000, help="default: %(default)s; 0 takes a free one")
    option(
        "--api-key",
        metavar="KEY",
        help=f"key that clients must send; {KEY_VARIABLE} is safer, because others cannot see it",
    )
    option("--device", help="cpu, cuda, cuda:1, mps, … (default: the best there is)")
    option("--dtype", help="bfloat16, float16 or float32 (default: float32 on a CPU, else bfloat16)")
    option("--quantize", choices=quantization.KINDS, help=quantization.HELP)
    option("--compiled", action="store_true", help="compile the model first; on CUDA, record decoding in a graph, too")
    number("--rows", help="answers generated at once (default: 4 on a CPU, else 8)")
    number("--slots", default=8192, help="longest conversation with its answer, in tokens (default: %(default)s)")
    number("--prefix-tokens", default=8192, help="tokens kept for requests with the same start (default: %(default)s)")
    number("--chunk-tokens", help="tokens of prompts read between two steps of answers (default: by the device)")
    number("--max-queue", default=64, help="requests that may wait beyond those; more get 429 (default: %(default)s)")
    number("--max-tokens", default=limits.max_tokens, help="longest answer (default: %(default)s)")
    number("--max-body-mb", default=limits.max_body_bytes // 10**6, help="largest request (default: %(default)s)")
    number("--max-images", default=limits.max_images, help="images of a request (default: %(default)s)")
    number("--max-image-pixels", default=limits.max_image_pixels, help="largest image (default: %(default)s)")
    number("--header-s", default=10, help="seconds in which the head of a request must arrive (default: %(default)s)")
    number("--body-s", default=60, help="seconds in which its body must arrive (default: %(default)s)")
    number("--max-connections", default=512, help="open connections (default: %(default)s)")
    option("--cors-origin", action="append", default=[], metavar="URL", help="let pages of this origin send requests")
    option("--access-log", metavar="FILE", help="append a line of JSON per request; - for standard error")
    option("--allow-remote-images", action="store_true", help="fetch images from http(s) URLs at public addresses")
    number("--shutdown-s", default=30, help="seconds running answers get when the server stops (default: %(default)s)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text}")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"expected 0 to 65535, got {text}")
    return number


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Resolve a host to an address family and address. Raises ValueError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ValueError(f"--host {host!r} is no address of this machine: {error}") from error
    return family, (str(address[0]), port)


def _settings(args: argparse.Namespace, rows: int, loopback: bool) -> Settings:
    api_key = args.api_key if args.api_key is not None else os.environ.get(KEY_VARIABLE)
    if api_key is None and not loopback:
        raise ValueError(
            f"--host {args.host} can be reached from other machines; set {KEY_VARIABLE} (or --api-key) first"
        )
    limits = Settings(model="")
    return Settings(
        model=args.name or _name(args.model),
        api_key=api_key,
        host_names=frozenset({"localhost", "127.0.0.1", "::1", args.host.lower()}) if loopback else None,
        max_requests=rows + args.max_queue,
        max_answers=min(limits.max_answers, rows + args.max_queue),
        context_tokens=args.slots,
        max_body_bytes=args.max_body_mb * 10**6,
        body_timeout_s=args.body_s,
        bodies_bytes=max(limits.bodies_bytes, 2 * args.max_body_mb * 10**6),
        max_images=args.max_images,
        max_image_pixels=args.max_image_pixels,
        max_tokens=args.max_tokens,
        cors_origins=tuple(args.cors_origin),
        allow_remote_images=args.allow_remote_images,
    )


def _fitted(settings: Settings, max_positions: int) -> Settings:
    """Return the settings with lengths that the model can reach: every answer has at least one token of a prompt."""
    context = min(settings.context_tokens, max_positions)
    return dataclasses.replace(
        settings, context_tokens=context, max_tokens=max(1, min(settings.max_tokens, context - 1))
    )


def _open_log(name: str | None) -> TextIO | None:
    if name is None:
        return None
    return sys.stderr if name == "-" else open(name, "a", encoding="utf-8")


def _name(source: str) -> str:
    return os.path.basename(os.path.abspath(source)) if os.path.isdir(source) else source


if __name__ == "__main__":
    sys.exit(main())
