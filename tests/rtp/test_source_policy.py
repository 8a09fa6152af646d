"""Symmetric RTP: who is believed, and when."""

from __future__ import annotations

import pytest

from offhook.rtp import SourceChanged, SourcePolicy
from offhook.rtp.drops import Drop
from offhook.rtp.source_policy import LEARNING_SECONDS, MAX_CANDIDATES, PROOF_PACKETS

SIGNALLED = ("192.0.2.1", 4000)
BEHIND_NAT = ("198.51.100.9", 61_000)
STRANGER = ("203.0.113.66", 6666)


def policy(signalled: tuple[str, int] | None = SIGNALLED) -> SourcePolicy:
    """A policy that began at second 100, for PCMU and telephone events."""
    return SourcePolicy(signalled, {0, 101}, now=100.0)


def judge(
    judging: SourcePolicy,
    source: tuple[str, int],
    count: int = PROOF_PACKETS,
    *,
    first: int = 10,
    ssrc: int = 7,
    now: float = 101.0,
) -> list[Drop | None]:
    """The verdicts on packets in sequence."""
    return [judging.judge(source, ssrc, first + number & 0xFFFF, 0, now) for number in range(count)]


PROVEN = [Drop.UNPROVEN_SOURCE] * (PROOF_PACKETS - 1) + [None]


class TestSignalledAddress:
    def test_it_is_believed_from_its_first_packet_on(self) -> None:
        """And it is where we send to, before and after."""
        judging = policy()
        assert SIGNALLED == judging.destination
        assert [None] == judge(judging, SIGNALLED, 1)
        assert (SIGNALLED, []) == (judging.destination, judging.events())

    def test_once_it_has_sent_nobody_else_is_believed(self) -> None:
        """However many packets another sends."""
        judging = policy()
        judge(judging, SIGNALLED, 1)
        assert [Drop.WRONG_SOURCE] * 10 == judge(judging, STRANGER, 10)

    def test_a_payload_type_that_was_not_agreed_is_dropped(self) -> None:
        """From the right address, too."""
        judging = policy()
        assert Drop.PAYLOAD_TYPE is judging.judge(SIGNALLED, 7, 10, 96, 101.0)
        assert None is judging.judge(SIGNALLED, 7, 11, 101, 101.0)

    def test_it_takes_its_place_back_by_the_same_proof(self) -> None:
        """An early intruder cannot keep the peer out; a single forged packet cannot move the call."""
        judging = policy()
        judge(judging, BEHIND_NAT)
        assert PROVEN == judge(judging, SIGNALLED)
        assert SIGNALLED == judging.destination
        assert [
            SourceChanged(SIGNALLED, BEHIND_NAT, 101.0),
            SourceChanged(BEHIND_NAT, SIGNALLED, 101.0),
        ] == judging.events()
        assert [Drop.WRONG_SOURCE] * 5 == judge(judging, BEHIND_NAT, 5)


class TestAnotherAddress:
    def test_it_is_believed_after_four_packets_in_sequence(self) -> None:
        """A peer behind a NAT; media is sent there from then on."""
        judging = policy()
        assert PROVEN == judge(judging, BEHIND_NAT)
        assert BEHIND_NAT == judging.destination
        assert [SourceChanged(SIGNALLED, BEHIND_NAT, 101.0)] == judging.events()
        assert [] == judging.events()

    def test_its_sequence_may_wrap(self) -> None:
        """65,535 is followed by 0."""
        assert PROVEN == judge(policy(), BEHIND_NAT, first=65_534)

    def test_once_it_is_believed_no_third_one_is(self) -> None:
        """Locked."""
        judging = policy()
        judge(judging, BEHIND_NAT)
        assert [Drop.WRONG_SOURCE] * 8 == judge(judging, STRANGER, 8)

    @pytest.mark.parametrize(
        ("ssrc", "sequence", "payload_type"),
        [(8, 13, 0), (7, 14, 0), (7, 12, 0), (7, 13, 96)],
        ids=["another SSRC", "a hole", "a repetition", "another payload type"],
    )
    def test_a_fourth_packet_that_does_not_fit_proves_nothing(
        self, ssrc: int, sequence: int, payload_type: int
    ) -> None:
        """Same SSRC, next sequence number, agreed payload type."""
        judging = policy()
        judge(judging, BEHIND_NAT, PROOF_PACKETS - 1)
        assert Drop.UNPROVEN_SOURCE is judging.judge(BEHIND_NAT, ssrc, sequence, payload_type, 101.0)

    @pytest.mark.parametrize(
        ("now", "last"), [(100 + LEARNING_SECONDS, None), (100.001 + LEARNING_SECONDS, Drop.WRONG_SOURCE)]
    )
    def test_it_is_learned_in_the_first_five_seconds_only(self, now: float, last: Drop | None) -> None:
        """Later, the signalled address alone is believed."""
        assert last is judge(policy(), BEHIND_NAT, now=now)[-1]
        assert [None] == judge(policy(), SIGNALLED, 1, now=now)

    def test_without_a_signalled_address_it_is_learned_too(self) -> None:
        """Early media before the answer."""
        judging = policy(None)
        assert None is judging.destination
        assert PROVEN == judge(judging, BEHIND_NAT)
        assert [SourceChanged(None, BEHIND_NAT, 101.0)] == judging.events()

    def test_two_that_prove_themselves_at_once_do_not_mix(self) -> None:
        """Each has its own count."""
        judging = policy()
        for number in range(PROOF_PACKETS - 1):
            judge(judging, BEHIND_NAT, 1, first=number)
            judge(judging, STRANGER, 1, first=number)
        assert [None] == judge(judging, BEHIND_NAT, 1, first=PROOF_PACKETS - 1)
        assert BEHIND_NAT == judging.destination

    def test_a_spray_from_many_ports_is_not_believed(self) -> None:
        """200 ports, one packet each: nothing is let in, and the table stays small."""
        judging = policy()
        verdicts = [judge(judging, ("203.0.113.66", port), 1)[0] for port in range(5000, 5200)]
        assert {Drop.UNPROVEN_SOURCE} == set(verdicts)
        assert MAX_CANDIDATES == len(judging._proofs)
        assert PROVEN == judge(judging, BEHIND_NAT)


class TestReset:
    def test_a_new_signalled_address_opens_the_question_again(self) -> None:
        """A re-INVITE moved the media; the old source is a stranger now."""
        judging = policy()
        judge(judging, SIGNALLED, 1)
        judging.reset(("192.0.2.2", 4002), 200.0)
        assert ("192.0.2.2", 4002) == judging.destination
        assert [None] == judge(judging, ("192.0.2.2", 4002), 1, now=201.0)
        assert [Drop.WRONG_SOURCE] == judge(judging, SIGNALLED, 1, now=201.0)

    def test_the_same_signalled_address_changes_nothing(self) -> None:
        """A re-INVITE that refreshes the session must not lose the address behind the NAT."""
        judging = policy()
        judge(judging, BEHIND_NAT)
        judging.reset(SIGNALLED, 200.0)
        assert BEHIND_NAT == judging.destination
        assert [None] == judge(judging, BEHIND_NAT, 1, now=201.0)

    def test_the_learning_time_begins_anew(self) -> None:
        """Five seconds from the re-INVITE."""
        judging = policy()
        judging.reset(("192.0.2.2", 4002), 200.0)
        assert PROVEN == judge(judging, BEHIND_NAT, now=204.0)

    def test_on_hold_there_is_nowhere_to_send_to(self) -> None:
        """No address was signalled."""
        judging = policy()
        judging.reset(None, 200.0)
        assert None is judging.destination


def test_it_says_in_a_line_how_it_stands() -> None:
    """For logs and debuggers."""
    assert "<SourcePolicy signalled ('192.0.2.1', 4000), trusted None>" == repr(policy())


def test_an_answer_begins_the_learning_anew() -> None:
    """A callee behind a NAT that rang for long has sent nothing yet; once somebody is believed, nothing changes."""
    policy = SourcePolicy(("192.0.2.1", 4000), {0}, 0.0)
    stranger = ("198.51.100.1", 5000)
    assert Drop.WRONG_SOURCE is policy.judge(stranger, 1, 1, 0, 60.0)
    policy.relearn(60.0)
    assert [Drop.UNPROVEN_SOURCE] * 3 + [None] == [policy.judge(stranger, 1, n, 0, 60.0) for n in range(10, 14)]
    policy.relearn(61.0)
    assert Drop.WRONG_SOURCE is policy.judge(("198.51.100.2", 5000), 2, 1, 0, 61.0)
