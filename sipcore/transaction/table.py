"""All live transactions: found by key, woken by deadline, forgotten when they end.

The table makes transactions, finds the one that a message belongs to, hands the message over, and keeps the deadlines of all
of them in one heap. No operation looks at transactions that it does not concern, so that twenty thousand cost what one costs.

One input, then drain: after any input ``outputs()`` gives what the transactions that were touched want to send and to tell,
and nothing about the others::

    transaction = table.receive_response(response, now)      # None: it matches no transaction, which was counted
    for transaction, messages, events in table.outputs():
        ...

Who drives a transaction directly says so with ``touched``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from offhook.sipcore.deadlines import Deadlines
from offhook.sipcore.drops import Drop
from offhook.sipcore.exceptions import InvalidState, LocalError, MalformedMessage
from offhook.sipcore.message import Response

from .client import ClientTransaction
from .invite_client import InviteClientTransaction
from .invite_server import InviteServerTransaction
from .keys import LEGACY, cancelled_key, client_key, legacy_ack_key, server_key
from .server import ServerTransaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offhook.sipcore.events import Event
    from offhook.sipcore.message import Request
    from offhook.sipcore.timers import Timers

    from .keys import Key

AnyClientTransaction: TypeAlias = InviteClientTransaction | ClientTransaction
AnyServerTransaction: TypeAlias = InviteServerTransaction | ServerTransaction
AnyTransaction: TypeAlias = AnyClientTransaction | AnyServerTransaction

# Transactions at a time. Each server transaction stays 32 s over UDP: this is 600 new ones per second, about 100 MiB.
MAX_TRANSACTIONS: Final = 20_000


class TooManyTransactions(LocalError):
    """The table is full: nothing new can be asked of a peer until something ends."""


@dataclass(frozen=True, slots=True)
class TransactionCounts:
    """What the table has seen so far; reading changes nothing."""

    live: Mapping[str, int]
    "Transactions that live now, by the title of their kind."
    created: int
    timed_out: int
    "Ended by timer B, F or H."
    retransmitted: int
    "Messages that this side sent again."
    retransmissions_received: int
    "Messages that the peers sent again."
    drops: Mapping[Drop, int]
    "What was ignored, by reason."


class _Entry:
    """A transaction, and what the table notes beside it."""

    __slots__ = ("ack_key", "index", "is_legacy", "key", "received", "sent", "touched", "transaction")

    def __init__(self, transaction: AnyTransaction, key: Key, index: dict[Key, _Entry]) -> None:
        self.transaction = transaction
        self.key = key
        self.index = index
        self.is_legacy = key[0] is LEGACY
        self.ack_key: Key | None = None  # the second name of an INVITE of RFC 2543
        self.touched = False
        self.sent = 0  # retransmissions that were added up already
        self.received = 0


class TransactionTable:
    """The transaction layer of one SIP element.

    Args:
        timers: the base values of all transactions.
        limit: how many may live at a time.
    """

    __slots__ = (
        "_clients",
        "_created",
        "_deadlines",
        "_drops",
        "_entries",
        "_limit",
        "_live",
        "_received",
        "_sent",
        "_servers",
        "_timed_out",
        "_timers",
        "_touched",
    )

    def __init__(self, timers: Timers, *, limit: int = MAX_TRANSACTIONS) -> None:
        self._timers = timers
        self._limit = limit
        self._clients: dict[Key, _Entry] = {}
        self._servers: dict[Key, _Entry] = {}
        self._entries: dict[AnyTransaction, _Entry] = {}
        self._deadlines: Deadlines[AnyTransaction] = Deadlines()
        self._touched: list[_Entry] = []
        self._drops: Counter[Drop] = Counter()
        kinds = (InviteClientTransaction, ClientTransaction, InviteServerTransaction, ServerTransaction)
        self._live = {kind.TITLE: 0 for kind in kinds}
        self._created = self._timed_out = self._sent = self._received = 0

    def __len__(self) -> int:
        """How many transactions live."""
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<TransactionTable {len(self._entries)} of {self._limit}, next deadline {self.next_deadline()}>"

    # --- making ---

    def create_client(self, request: Request, reliable: bool, now: float) -> AnyClientTransaction:
        """Send a request, whose branch stands in its topmost Via, by a transaction of its own.

        Raises:
            TooManyTransactions: the limit is reached.
            InvalidState: the request is an ACK, has no branch, or a live transaction has its name.
        """
        key = client_key(request)
        if key[0] is None or not self._is_new(request, key, self._clients):
            raise InvalidState(f"an ACK, a missing branch or one in use makes no client transaction: {request!r}")
        if len(self._entries) >= self._limit:
            raise TooManyTransactions(f"{self._limit} transactions are under way")
        kind = InviteClientTransaction if request.method == "INVITE" else ClientTransaction
        transaction = kind(request, reliable=reliable, timers=self._timers, now=now)
        self._admit(transaction, key, self._clients)
        return transaction

    def create_server(self, request: Request, reliable: bool, now: float) -> AnyServerTransaction | None:
        """Answer a request, for which ``find_server`` found nothing, by a transaction of its own.

        Returns:
            None when the limit is reached: the request is then to be answered with 503, without state.

        Raises:
            InvalidState: the request is an ACK, or a live transaction has its name.
            MalformedMessage: a field by which it would be matched cannot be read.
        """
        key = server_key(request)
        if not self._is_new(request, key, self._servers):
            raise InvalidState(f"an ACK or a retransmission makes no server transaction: {request!r}")
        if len(self._entries) >= self._limit:
            self._drops[Drop.TABLE_FULL] += 1
            return None
        kind = InviteServerTransaction if request.method == "INVITE" else ServerTransaction
        transaction = kind(request, reliable=reliable, timers=self._timers, now=now)
        self._admit(transaction, key, self._servers)
        return transaction

    @staticmethod
    def _is_new(request: Request, key: Key, index: dict[Key, _Entry]) -> bool:
        return request.method != "ACK" and key not in index

    def _admit(self, transaction: AnyTransaction, key: Key, index: dict[Key, _Entry]) -> None:
        entry = _Entry(transaction, key, index)
        self._entries[transaction] = index[key] = entry
        self._created += 1
        self._live[transaction.TITLE] += 1
        self._settle(entry)

    # --- finding ---

    def find_client(self, response: Response) -> AnyClientTransaction | None:
        """The client transaction that a response belongs to (RFC 3261 section 17.1.3)."""
        try:
            entry = self._clients.get(client_key(response))
        except MalformedMessage:
            self._drops[Drop.MALFORMED] += 1
            return None
        return None if entry is None else entry.transaction  # type: ignore[return-value]

    def find_server(self, request: Request) -> AnyServerTransaction | None:
        """The server transaction that a request repeats or acknowledges (section 17.2.3)."""
        try:
            key = server_key(request)
        except MalformedMessage:
            self._drops[Drop.MALFORMED] += 1
            return None
        entry = self._servers.get(key)
        return None if entry is None else entry.transaction  # type: ignore[return-value]

    def find_invite_for_cancel(self, cancel: Request) -> InviteServerTransaction | None:
        """The INVITE that a CANCEL is about (section 9.2)."""
        try:
            entry = self._servers.get(cancelled_key(cancel))
        except MalformedMessage:
            self._drops[Drop.MALFORMED] += 1
            return None
        return None if entry is None else entry.transaction  # type: ignore[return-value]

    # --- inputs ---

    def receive_response(self, response: Response, now: float) -> AnyClientTransaction | None:
        """Hand a response to its transaction; None, counted as a drop, when there is none.

        RFC 6026 section 8.9: "any element other than a stateless proxy MUST silently discard the response".
        """
        try:
            entry = self._clients.get(client_key(response))
        except MalformedMessage:
            self._drops[Drop.MALFORMED] += 1
            return None
        if entry is None:
            self._drops[Drop.NO_TRANSACTION] += 1
            return None
        transaction: AnyClientTransaction = entry.transaction  # type: ignore[assignment]
        self.touched(transaction, transaction.receive_response(response, now))
        return transaction

    def receive_request(self, request: Request, now: float) -> AnyServerTransaction | None:
        """Hand a request to the transaction that it repeats or acknowledges; None when it is new, or the ACK to a 2xx."""
        transaction = self.find_server(request)
        if transaction is not None:
            self.touched(transaction, transaction.receive_request(request, now))
        return transaction

    def respond(self, transaction: AnyServerTransaction, response: Response, now: float) -> Drop | None:
        """Answer; the reason when the response comes too late to be sent."""
        drop = transaction.respond(response, now)
        self.touched(transaction, drop)
        return drop

    def transport_failed(self, transaction: AnyTransaction, error: Exception, now: float) -> Drop | None:
        """Tell a transaction that its message could not be sent."""
        drop = transaction.transport_failed(error, now)
        self.touched(transaction, drop)
        return drop

    def abandon(self, transaction: AnyTransaction, now: float) -> Drop | None:
        """End a transaction at once, without a word to the peer."""
        drop = transaction.abandon(now)
        self.touched(transaction, drop)
        return drop

    def handle_timeout(self, now: float) -> None:
        """Let each transaction act whose deadline (monotonic seconds) is not after ``now``."""
        for transaction in self._deadlines.due(now):
            transaction.handle_timeout(now)
            self._settle(self._entries[transaction])

    def touched(self, transaction: AnyTransaction, drop: Drop | None = None) -> None:
        """Note that a transaction took an input, with the drop by which it ignored it."""
        if drop is not None:
            self._drops[drop] += 1
        entry = self._entries.get(transaction)
        if entry is not None:
            self._settle(entry)

    def _settle(self, entry: _Entry) -> None:
        """Bring the table's own notes in line with a transaction that took an input."""
        transaction = entry.transaction
        if not entry.touched:
            entry.touched = True
            self._touched.append(entry)
        if transaction.retransmitted != entry.sent:
            self._sent += transaction.retransmitted - entry.sent
            entry.sent = transaction.retransmitted
        if transaction.retransmissions_received != entry.received:
            self._received += transaction.retransmissions_received - entry.received
            entry.received = transaction.retransmissions_received
        if transaction.terminated:
            self._forget(entry)
        else:
            self._deadlines.update(transaction)

    def _forget(self, entry: _Entry) -> None:
        transaction = entry.transaction
        self._deadlines.forget(transaction)
        del self._entries[transaction]
        del entry.index[entry.key]
        if entry.ack_key is not None:
            del entry.index[entry.ack_key]
        self._live[transaction.TITLE] -= 1
        self._timed_out += transaction.timed_out is not None

    # --- outputs ---

    def next_deadline(self) -> float | None:
        """When ``handle_timeout`` is due (monotonic seconds), or None while no timer runs."""
        return self._deadlines.next()

    def outputs(self) -> list[tuple[AnyTransaction, list[Request | Response], list[Event]]]:
        """Drain the transactions that were touched: what each wants to send, and to tell its user.

        Whoever then acts on an event (answers, say) makes an input of its own and drains again.
        """
        touched, self._touched = self._touched, []
        outputs = []
        for entry in touched:
            entry.touched = False
            transaction = entry.transaction
            messages = transaction.messages_to_send()
            if entry.is_legacy:
                self._expect_legacy_ack(entry, messages)
            events = transaction.events()
            if messages or events:
                outputs.append((transaction, messages, events))
        return outputs

    def _expect_legacy_ack(self, entry: _Entry, messages: list[Request | Response]) -> None:
        """Give an INVITE of RFC 2543 its second name, as soon as the tag of its answer is known."""
        invite = entry.transaction.request
        if invite.method != "INVITE" or entry.transaction.terminated or entry.ack_key is not None:
            return
        for message in messages:
            if isinstance(message, Response) and message.is_final:
                key = legacy_ack_key(invite, message)
                if key not in entry.index:
                    entry.ack_key = key
                    entry.index[key] = entry

    def counts(self) -> TransactionCounts:
        """A frozen snapshot, at a cost that does not depend on how many transactions live."""
        return TransactionCounts(
            live=dict(self._live),
            created=self._created,
            timed_out=self._timed_out,
            retransmitted=self._sent,
            retransmissions_received=self._received,
            drops=dict(self._drops),
        )
