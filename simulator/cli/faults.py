"""From exceptions to one line that says what to do next.

What a peer said is shown, but never as it came: its control characters would be the terminal's commands.
"""

from __future__ import annotations

import pydantic

import offhook
from offhook.ladder import visible
from offhook.rtp.aio import NoPortsLeft
from offhook.simulator.speech import SpeechFailed, SpeechUnavailable
from offhook.sipcore import ListenError, LocalError, MalformedMessage, UnknownHost

from .exit_codes import ExitCode

_HINTS = {
    401: "it asks for credentials, which this command does not send",
    403: "the other side does not take calls from us: is our address among those it allows?",
    404: "the other side knows nobody of that name: check the part before the @",
    407: "it asks for credentials, which this command does not send",
    408: "nobody took the call in time: is the agent running, and is the address right? --timeout waits longer",
    480: "the other side takes no calls now",
    486: "the other side is busy",
    488: "no codec in common: offer another one with --codec PCMU or --codec PCMA",
}
_UNREACHABLE = "the address cannot be reached: check host and port, and whether the agent is running"
_OVERLOADED = "the other side is there and takes no more now: try again later, or look at its limits"


def explain(error: Exception) -> tuple[str, ExitCode] | None:
    """What to print, and the exit code; None for what is our own fault and deserves its traceback."""
    found = _explained(error)
    return None if found is None else (visible(found[0]), found[1])


def _explained(error: Exception) -> tuple[str, ExitCode] | None:
    match error:
        case offhook.CallFailed(status=status, reason=reason, response=response):
            # The same number means two things: nobody could be asked, or somebody said so.
            unavailable = _UNREACHABLE if response is None else _OVERLOADED
            hint = unavailable if status == 503 else _HINTS.get(status)
            return f"the call failed: {status} {reason}{f' - {hint}' if hint else ''}", ExitCode.FAILED
        case offhook.AudioError() | SpeechFailed():
            return str(error), ExitCode.BAD_FILE
        case SpeechUnavailable():
            return str(error), ExitCode.USAGE
        case ListenError():
            return f"{error} - choose another port with --listen udp:HOST:PORT, or 0 for any", ExitCode.USAGE
        case MalformedMessage(reason=reason):
            return f"not a SIP address ({reason}); it looks like sip:agent@127.0.0.1:5060", ExitCode.USAGE
        case pydantic.ValidationError() | UnicodeError():
            return None  # they are ValueErrors, but not about what was typed
        case UnknownHost() | NoPortsLeft() | LocalError() | ValueError():
            return str(error), ExitCode.USAGE
        case OSError(filename=name, strerror=why) if name is not None:
            return f"{name}: {why}", ExitCode.BAD_FILE
        case _:
            return None
