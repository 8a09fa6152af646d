"""baresip without sound card and terminal: its configuration, its remote control, and what it has heard.

What it says is a sound file (``aufile``); what it hears is written down by the audio filter ``sndfile``, after decoding and
before its player, which is a bridge that leads nowhere. Commands and events are JSON in netstrings over TCP (``ctrl_tcp``).
Of the ports, the one above SIP is taken by baresip for TLS.
"""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from support.loopback import HOST, free_ports
from support.peers import require
from support.processes import PATIENCE, running, wait_until

import offhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.processes import Program

LIBRARY_FOLDERS: Final = ("usr/lib", "usr/lib/*", "usr/local/lib", "opt/homebrew/lib")
"""Below the root: where packages and builds put baresip's modules, each under ``baresip/modules``."""
MAX_NETSTRING_DIGITS: Final = 7
"""And the colon: messages of 999,999 octets, where baresip's longest, its help, has some thousand."""

CONFIG = """\
poll_method             poll
sip_listen              {host}:{sip}
sip_trans_def           udp
net_interface           {host}
call_local_timeout      20
audio_source            aufile,{folder}/says.wav
audio_player            aubridge,nowhere
audio_alert             aubridge,nobody
ausrc_srate             8000
auplay_srate            8000
ausrc_channels          1
auplay_channels         1
jitter_buffer_delay     1-2
module_path             {modules}
module                  g711.so
module                  sndfile.so
module                  aufile.so
module                  aubridge.so
module_app              account.so
module_app              menu.so
module_app              ctrl_tcp.so
ctrl_tcp_listen         {host}:{control}
snd_path                {folder}
"""


class Baresip:
    """A running baresip."""

    def __init__(self, program: Program, folder: Path, sip: int, control: socket.socket) -> None:
        self.uri = f"sip:baresip@{HOST}:{sip}"
        self._program = program
        self._folder = folder
        self._control = control
        self._stream = control.makefile("rb")
        self._events: list[dict[str, Any]] = []

    def command(self, name: str, parameters: str = "") -> None:
        """Give a command, as ``dial`` with a URI, and wait until it is taken."""
        said = json.dumps({"command": name, "params": parameters}).encode()
        self._control.sendall(b"%d:%s," % (len(said), said))
        while "ok" not in (answer := self._next()):
            self._events.append(answer)
        assert answer["ok"], f"{name} {parameters}: {answer}"

    def wait_for(self, kind: str) -> dict[str, Any]:
        """The next event of a kind, as ``CALL_ESTABLISHED``; those before it are forgotten."""
        while True:
            event = self._events.pop(0) if self._events else self._next()
            if event.get("type") == kind:
                return event

    def _next(self) -> dict[str, Any]:
        digits = b""
        while not digits.endswith(b":"):
            digit = self._stream.read(1)
            assert digit, f"baresip closed the control connection:\n{self._program.output}"
            digits += digit
            assert len(digits) <= MAX_NETSTRING_DIGITS
        message: dict[str, Any] = json.loads(self._stream.read(int(digits[:-1])))
        assert self._stream.read(1) == b","
        return message

    def heard(self) -> offhook.Audio:
        """What came in during its last call, decoded by it. It ends baresip, which completes its files then."""
        self.command("quit")
        self._program.wait()
        return offhook.Audio.load(max(self._folder.glob("dump-*-dec.wav")))

    def close(self) -> None:
        """Leave the control connection."""
        self._stream.close()
        self._control.close()


@contextlib.contextmanager
def baresip(folder: Path, codec: str, says: offhook.Audio) -> Iterator[Baresip]:
    """A baresip that takes calls at once and speaks one codec.

    Args:
        folder: for its configuration and what it hears.
        codec: PCMU or PCMA.
        says: what it plays in each call, from the beginning; 8,000 samples per second.
    """
    [program] = require("baresip")
    sip = free_ports(3)  # SIP, TLS, control
    modules = _modules()
    folder.mkdir(parents=True, exist_ok=True)
    says.save(folder / "says.wav")
    (folder / "config").write_text(
        CONFIG.format(host=HOST, sip=sip, control=sip + 2, folder=folder, modules=modules), encoding="utf-8"
    )
    account = f"<sip:baresip@{HOST}:{sip}>;regint=0;answermode=auto;audio_codecs={codec}\n"
    (folder / "accounts").write_text(account, encoding="utf-8")
    (folder / "contacts").touch()
    with (
        running([program, "-f", str(folder)]) as process,
        contextlib.closing(Baresip(process, folder, sip, _control(process, sip + 2))) as peer,
    ):
        yield peer


def _modules() -> Path:
    """The folder of its modules, which baresip does not tell by itself."""
    found = [path for folder in LIBRARY_FOLDERS for path in Path("/").glob(f"{folder}/baresip/modules")]
    assert found, f"baresip is installed, but its modules are in none of {', '.join(LIBRARY_FOLDERS)}"
    return found[0]


def _control(process: Program, port: int) -> socket.socket:
    """The control connection; it stands when baresip has loaded all that it needs."""
    made: list[socket.socket] = []

    def connected() -> bool:
        assert not process.has_ended, process.output
        with contextlib.suppress(ConnectionRefusedError):
            made.append(socket.create_connection((HOST, port), timeout=PATIENCE))
        return bool(made)

    wait_until("baresip can be controlled", connected)
    return made[0]
