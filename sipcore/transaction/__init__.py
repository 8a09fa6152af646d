"""The transaction layer (RFC 3261 section 17 with RFC 6026): four sans-IO machines and the table that holds them.

A transaction is a request and all the responses to it. It makes an unreliable transport reliable by retransmission, keeps
duplicates from its user, and ends by itself. Nothing here opens a socket, reads a clock or rolls dice.

``client`` and ``server`` in a name mean the part played in one transaction, not in the call: who is called sends the BYE as
a client. ``State`` and ``Stimulus`` of each machine stand in its own module.
"""

from .client import ClientTransaction
from .invite_client import InviteClientTransaction
from .invite_server import TRYING_AFTER, InviteServerTransaction
from .keys import Key, cancelled_key, client_key, server_key
from .machine import Machine, Transaction, Transition
from .server import ServerTransaction
from .table import (
    MAX_TRANSACTIONS,
    AnyClientTransaction,
    AnyServerTransaction,
    AnyTransaction,
    TooManyTransactions,
    TransactionCounts,
    TransactionTable,
)

__all__ = [
    "MAX_TRANSACTIONS",
    "TRYING_AFTER",
    "AnyClientTransaction",
    "AnyServerTransaction",
    "AnyTransaction",
    "ClientTransaction",
    "InviteClientTransaction",
    "InviteServerTransaction",
    "Key",
    "Machine",
    "ServerTransaction",
    "TooManyTransactions",
    "Transaction",
    "TransactionCounts",
    "TransactionTable",
    "Transition",
    "cancelled_key",
    "client_key",
    "server_key",
]
