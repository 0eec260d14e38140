"""A package index from the settings: where it is, and who we are there."""

from tagtrail.app.instance.targets import Context
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import TargetSettings
from tagtrail.ports import Target

__all__ = ["index_target"]


def index_target(target: TargetSettings, context: Context) -> Target:
    """The target. Raises SetupError `index-unknown`."""
    raise SetupError(f"{target.name} cannot be made yet", code="not-yet")
