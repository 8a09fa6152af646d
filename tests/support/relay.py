"""A relay for SIP over UDP that loses datagrams, by a seed: it stands between a caller and a callee.

::

    caller  <---->  front | relay | back  <---->  callee

What comes in at `front` leaves from `back` to the callee; what comes in at `back` leaves from `front` to whoever sent to
the front last. Each direction has its own dice, so the fate of the n-th datagram of a direction depends on the seed and
on n alone. Nothing is rewritten, not one octet.

Which messages come through here, though nothing is rewritten:

- *Requests of the caller* that are sent to `front` because its target URI says so.
- *Responses to them*, because the callee answers to where the request came from. A callee that goes by the letter
  (RFC 3261 18.2.2: to ``received``, at the port of sent-by) does so as well when `back` has the port that the caller
  writes into its Via, on another loopback address: hence the argument ``back_port``.
- *Requests within the dialog* (ACK to a 2xx, BYE) only if the callee's Contact, or a caller that goes by its first target
  as SIPp's own scenarios do, leads to `front`.

RTP goes by the session descriptions, so it passes beside the relay and nothing of it is lost here.
"""

from __future__ import annotations

import random
import selectors
import socket
import threading
from dataclasses import dataclass
from typing import Self

Address = tuple[str, int]

RELAY_HOST = "127.0.0.2"
"""A loopback address that nobody else binds, so that `back` can have a port which the caller has on 127.0.0.1."""
RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024
"""Asked for; the relay loses what the dice say and nothing else."""

_LARGEST_DATAGRAM = 65_535
_WAKE_END = 1.0  # seconds that the thread has to notice its end


@dataclass(slots=True)
class Tally:
    """Datagrams of one direction."""

    passed: int = 0
    lost: int = 0

    @property
    def seen(self) -> int:
        """All that came."""
        return self.passed + self.lost


class Loss:
    """The dice of one direction."""

    def __init__(self, share: float, seed: str) -> None:
        self._share = share
        self._dice = random.Random(seed)
        self.tally = Tally()

    def takes_next(self) -> bool:
        """Whether the next datagram is lost."""
        lost = self._dice.random() < self._share
        if lost:
            self.tally.lost += 1
        else:
            self.tally.passed += 1
        return lost


class LossyRelay:
    """Relays between the moment it is entered and the moment it is left, in a thread of its own.

    Args:
        callee: where what comes in at the front goes to.
        share: of datagrams to lose in each direction, 0 to 1.
        seed: of the dice.
        back_port: port of `back`; any by default.
    """

    def __init__(self, callee: Address, *, share: float, seed: int, back_port: int = 0) -> None:
        self._callee = callee
        self._caller: Address | None = None
        self._to_callee = Loss(share, f"{seed} towards the callee")
        self._to_caller = Loss(share, f"{seed} towards the caller")
        self.strays = 0
        """Datagrams from the callee before there was a caller."""
        self._back = _bound(back_port)  # first, because its port may be taken
        self._front = _bound(0)
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="lossy relay", daemon=True)

    @property
    def front(self) -> Address:
        """Where the caller sends to."""
        host, port = self._front.getsockname()
        return host, port

    @property
    def back(self) -> Address:
        """Where the callee sends to."""
        host, port = self._back.getsockname()
        return host, port

    @property
    def towards_callee(self) -> Tally:
        """Datagrams of the caller."""
        return self._to_callee.tally

    @property
    def towards_caller(self) -> Tally:
        """Datagrams of the callee."""
        return self._to_caller.tally

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.send(b"!")
        self._thread.join(_WAKE_END)
        for each in (self._front, self._back, self._stop, self._stopped):
            each.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (self._front, self._back, self._stopped):
                selector.register(each, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._stopped in ready:
                    return
                if self._front in ready:
                    data, self._caller = self._front.recvfrom(_LARGEST_DATAGRAM)
                    self._pass(data, self._to_callee, self._back, self._callee)
                if self._back in ready:
                    data, _ = self._back.recvfrom(_LARGEST_DATAGRAM)
                    self._pass(data, self._to_caller, self._front, self._caller)

    def _pass(self, data: bytes, loss: Loss, out: socket.socket, destination: Address | None) -> None:
        if destination is None:
            self.strays += 1
        elif not loss.takes_next():
            out.sendto(data, destination)


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
        bound.bind((RELAY_HOST, port))
    except OSError:
        bound.close()
        raise
    return bound
