"""Runs tasks on a model: likelihoods of choices, generated answers, and perplexities."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Protocol
