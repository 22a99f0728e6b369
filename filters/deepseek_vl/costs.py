"""Estimates the cost of judging on other machines, from the number of floating-point operations."""

from collections.abc import Mapping
from typing import NamedTuple

SHARE_OF_PEAK = 0.3  # that a scoring pass in 16 bits is assumed to reach


class Machine(NamedTuple):
    """A device.

    Args:
        tflops: peak of dense products in 16 bits, from its data sheet, in 10^12 operations per second.
        dollars_h: about what it is let for on demand, US dollars per hour with its machine.
    """

    tflops: float
    dollars_h: float


MACHINES = {"l4": Machine(121, 0.8), "a100": Machine(312, 3.7), "h100": Machine(989, 8.0)}


def lines(flop: float, num_samples: int, prices: Mapping[str, float]) -> list[str]:
    """One line per device: samples per second, hours and dollars.

    Args:
        flop: operations per sample.
        prices: dollars per hour by device, in place of the built-in ones.
    """
    found = []
    for name, machine in MACHINES.items():
        per_s = SHARE_OF_PEAK * machine.tflops * 1e12 / flop
        hours = num_samples / per_s / 3600
        dollars = hours * prices.get(name, machine.dollars_h)
        found.append(
            f"{name}: about {per_s:,.0f} images/s, {hours:,.2f} hours, {dollars:,.2f} dollars "
            f"(estimated: {flop / 1e12:,.2f} TFLOP each at {SHARE_OF_PEAK:.0%} of its peak)"
        )
    return found
