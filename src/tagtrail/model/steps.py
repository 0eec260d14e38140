"""The steps of the road by name, in their order: what `release --until` may stop after. It imports nothing heavy."""

from typing import Literal, get_args

__all__ = ["STEPS", "Step"]

Step = Literal["plan", "built", "signed", "logged", "published", "announced"]
STEPS: tuple[Step, ...] = get_args(Step)
