"""From exceptions to one line that says what to do next."""

from __future__ import annotations

import offhook
from offhook.rtp.aio import NoPortsLeft
from offhook.simulator.speech import SpeechFailed, SpeechUnavailable
from offhook.sipcore import ListenError, LocalError, MalformedMessage, UnknownHost

from .exit_codes import ExitCode

_HINTS = {
    408: "nothing answers there: is the agent running, and is the address right?",
    480: "the other side takes no calls now",
    486: "the other side is busy",
    488: "no codec in common: offer another one with --codec PCMU or --codec PCMA",
    503: "the address cannot be reached: check host and port",
}


def explain(error: Exception) -> tuple[str, ExitCode] | None:
    """What to print, and the exit code; None for what is our own fault and deserves its traceback."""
    match error:
        case offhook.CallFailed(status=status, reason=reason):
            hint = _HINTS.get(status)
            return f"the call failed: {status} {reason}{f' - {hint}' if hint else ''}", ExitCode.FAILED
        case offhook.AudioError() | SpeechFailed():
            return str(error), ExitCode.BAD_FILE
        case SpeechUnavailable():
            return str(error), ExitCode.USAGE
        case ListenError():
            return f"{error} - choose another port with --listen udp:HOST:PORT, or 0 for any", ExitCode.USAGE
        case MalformedMessage(reason=reason):
            return f"not a SIP address ({reason}); it looks like sip:agent@127.0.0.1:5060", ExitCode.USAGE
        case UnknownHost() | NoPortsLeft() | LocalError() | ValueError():
            return str(error), ExitCode.USAGE
        case PermissionError() | FileNotFoundError() | IsADirectoryError() | NotADirectoryError():
            return f"{error.filename}: {error.strerror}", ExitCode.BAD_FILE
        case _:
            return None
