"""What a training would do, before it does it."""

from deepseek_vl.train.processes import Processes
from deepseek_vl.train.settings import TrainSettings


def describe(settings: TrainSettings, processes: Processes) -> str:
    return ""
