"""The HTTP side of the simulator: where agents report what they did."""

from .inbox import Receipt, ResultInbox
from .update_api import ApiServer, build_app

__all__ = ["ApiServer", "Receipt", "ResultInbox", "build_app"]
