"""All live sessions: found by what a message bears, forgotten when nothing can come for them any more.

A session is found by the dialog of a request inside it, by the INVITE's server transaction for a CANCEL, by Call-ID and our tag
for a 2xx whose transaction is gone. Each transaction is noted with the session that it serves and the flow that it uses.
A session that is over stays until its last transaction has ended: until then a 2xx may come again and wants its ACK, and a
request inside it is answered as of a call that was, not of one that never existed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .caller import CallerSession

if TYPE_CHECKING:
    from .callee import CalleeSession
    from .dialog import Dialog, DialogId
    from .flow import Flow
    from .message import Request, Response
    from .session import Session
    from .transaction.table import AnyTransaction

MergeKey = tuple[str, str, int, str]
"Call-ID, From tag, and CSeq's number and method: by these a request is one, whichever way it came (section 8.2.2.2)."


class Owned:
    """What is known of a live transaction."""

    __slots__ = ("flow", "merge_key", "session")

    def __init__(self, session: Session | None, flow: Flow, merge_key: MergeKey | None) -> None:
        self.session = session
        self.flow = flow
        self.merge_key = merge_key


class SessionTable:
    """Sessions and the transactions that serve them; no operation looks at those that it does not concern."""

    __slots__ = ("_callees", "_callers", "_dialogs", "_flows", "_merging", "_owned", "_sessions")

    def __init__(self) -> None:
        self._sessions: dict[Session, int] = {}  # with the number of their live transactions
        self._dialogs: dict[DialogId, Session] = {}
        self._callers: dict[tuple[str, str], CallerSession] = {}  # by Call-ID and our tag
        self._callees: dict[AnyTransaction, CalleeSession] = {}  # by the INVITE's transaction
        self._owned: dict[AnyTransaction, Owned] = {}
        self._flows: dict[Flow, set[AnyTransaction]] = {}
        self._merging: dict[MergeKey, AnyTransaction] = {}

    def __len__(self) -> int:
        """How many sessions live."""
        return len(self._sessions)

    @property
    def dialogs(self) -> int:
        """How many dialogs live."""
        return len(self._dialogs)

    @property
    def sessions(self) -> list[Session]:
        """Those that live, oldest first."""
        return list(self._sessions)

    # -- sessions --------------------------------------------------------------------------------------------------

    def add_caller(self, session: CallerSession) -> None:
        """A call of ours."""
        self._sessions[session] = 0
        self._callers[_caller_key(session.invite)] = session

    def add_callee(self, session: CalleeSession, transaction: AnyTransaction) -> None:
        """A call to us, and the server transaction of its INVITE."""
        self._sessions[session] = 0
        self._callees[transaction] = session
        self.assign(transaction, session)

    def bind(self, dialog: Dialog, session: Session) -> None:
        """Requests inside the dialog belong to the session."""
        self._dialogs[dialog.id] = session

    def by_dialog(self, request: Request) -> Session | None:
        """The session that a request inside a dialog is for."""
        return self._dialogs.get((request.call_id, request.to.tag or "", request.from_.tag or ""))

    def by_invite(self, transaction: AnyTransaction) -> CalleeSession | None:
        """The session that an INVITE's server transaction began."""
        return self._callees.get(transaction)

    def by_response(self, response: Response) -> CallerSession | None:
        """The call of ours that a response is about, when no transaction knows it any more."""
        return self._callers.get(_caller_key(response))

    def forget_if_done(self, session: Session) -> bool:
        """Forget a session that is over and has no live transaction; whether that was so."""
        if not session.is_over or self._sessions.get(session, 1):
            return False
        del self._sessions[session]
        if session.dialog is not None:
            self._dialogs.pop(session.dialog.id, None)
        if isinstance(session, CallerSession):
            self._callers.pop(_caller_key(session.invite), None)
        return True

    # -- transactions ----------------------------------------------------------------------------------------------

    def own(self, transaction: AnyTransaction, session: Session | None, flow: Flow) -> None:
        """Note a new transaction."""
        self._owned[transaction] = Owned(session, flow, None)
        if session is not None:
            self._sessions[session] = self._sessions.get(session, 0) + 1
        on_flow = self._flows.get(flow)
        if on_flow is None:
            self._flows[flow] = {transaction}
        else:
            on_flow.add(transaction)

    def assign(self, transaction: AnyTransaction, session: Session) -> None:
        """A server transaction, noted before, turned out to serve this session."""
        self._owned[transaction].session = session
        self._sessions[session] += 1

    def owned(self, transaction: AnyTransaction) -> Owned:
        """What is known of a live transaction."""
        return self._owned[transaction]

    def on_flow(self, flow: Flow) -> list[AnyTransaction]:
        """The live transactions that send to this flow."""
        return list(self._flows.get(flow, ()))

    def release(self, transaction: AnyTransaction) -> None:
        """A transaction has ended."""
        owned = self._owned.pop(transaction)
        self._callees.pop(transaction, None)
        on_flow = self._flows[owned.flow]
        on_flow.discard(transaction)
        if not on_flow:
            del self._flows[owned.flow]
        if owned.merge_key is not None:
            del self._merging[owned.merge_key]
        if owned.session is not None:
            self._sessions[owned.session] -= 1

    def is_merged(self, request: Request, transaction: AnyTransaction) -> bool:
        """Whether a request outside any dialog came by another way already, and is still under way there.

        Section 8.2.2.2: "If the From tag, Call-ID, and CSeq exactly match those associated with an ongoing transaction, but the
        request does not match that transaction ... the UAS core SHOULD generate a 482 (Loop Detected) response".
        """
        cseq = request.cseq
        key = (request.call_id, request.from_.tag or "", cseq.number, cseq.method)
        if key in self._merging:
            return True
        self._merging[key] = transaction
        self._owned[transaction].merge_key = key
        return False


def _caller_key(message: Request | Response) -> tuple[str, str]:
    return message.call_id, message.from_.tag or ""
