"""Steps of stage 1 without features of frozen towers on disk, while they are written, and when they are read.

python benchmarks/tower_features.py [--preset pico] [--device cpu] [--steps 6]

The adaptor is trained on drawn pages. On a CPU, seconds are processor seconds of all threads, decoding included.
"""

import argparse
import json
import tempfile
from pathlib import Path

import alternating
import torch
import train_steps

from deepseek_vl import device as devices
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.train import processes
from deepseek_vl.train.figures import Figures
from deepseek_vl.train.settings import load_settings
from deepseek_vl.train.trainer import Trainer


def seconds_of(changes: list[str], name: str, num_steps: int) -> tuple[float, int, float]:
    """Return the seconds of the steps after a first one, their images, and the last loss."""
    settings = load_settings(f"stage1-{name}", changes)
    joined = processes.start(settings.compute.device)
    try:
        trainer = Trainer(settings, joined)
        figures, num_images = Figures(trainer), 0
        trainer.loader.start(0)
        trainer.train_step(trainer.loader.next(), figures)
        since = alternating.spent(joined.device)
        for _ in range(num_steps):
            data = trainer.loader.next()
            trainer.train_step(data, figures)
            num_images += sum(batch.num_images for batch in data.batches)
        seconds = alternating.spent(joined.device) - since
        loss = figures.summary()["loss"]
        trainer.loader.close()
    finally:
        processes.stop()
    return seconds, num_images, loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="pico")
    parser.add_argument("--device")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--sequences", type=int, default=4)
    args = parser.parse_args()
    device = devices.pick(args.device)
    result: dict[str, object] = {"device": devices.describe(device), "torch": torch.__version__, "preset": args.preset}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        train_steps.write_data(folder, preset(args.preset), 64, 400)
        changes = [
            f"model={args.preset}",
            f"tokenizer={folder}",
            f"output={folder / 'run'}",
            "train={adaptor: 1e-3}",
            f"data.sources=[{{path: {folder / 'pages'}}}]",
            "data.lanes=1",
            f"optimization.sequences={args.sequences}",
            f"compute.device={device.type}",
        ]
        keep = [f"compute.features.folder={folder / 'features'}"]
        for what, more in (("without", []), ("written", keep), ("read", keep)):
            seconds, num_images, loss = seconds_of([*changes, *more], args.preset, args.steps)
            result[what] = {"ms_per_image": 1000 * seconds / num_images, "images": num_images, "loss": loss}
            print(f"{what}: {1000 * seconds / num_images:.1f} ms per image, {num_images} images, loss {loss:.6f}")
        size = sum(path.stat().st_size for path in (folder / "features").rglob("*.safetensors"))
        result["kb_per_image"] = size / 1000 / len(list((folder / "features").rglob("*.safetensors")))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
