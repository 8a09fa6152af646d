"""Descriptions that others wrote, where they lie beside the project; without them these tests are skipped."""

import json
from pathlib import Path

import pytest

from offhook.sipcore.sdp import (
    Codec,
    LocalMedia,
    MalformedDescription,
    NotAcceptable,
    Refusal,
    complete,
    negotiate,
    parse,
)

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
FILES = sorted([*CORPORA.glob("sdp/*/*.sdp"), *CORPORA.glob("fuzz/pjsip/fuzz-sdp/*")])
REFUSED = {
    "pion/unmarshal_test-003.sdp": "no origin",
    "pion/unmarshal_test-015.sdp": "fewer fields",
    "pion/unmarshal_test-016.sdp": "fewer fields",
    "pion/unmarshal_test-017.sdp": "fewer fields",
    "fuzz-sdp/input.6.sdp": "not ASCII",
}
EXAMPLES = CORPORA / "sdp" / "offer-answer" / "rfc4317.json"
TRUNK = {
    "offer_test-001.sdp": ("PCMU", 101),
    "offer_test-003.sdp": ("PCMU", 101),
    "offer_test-004.sdp": ("PCMU", 101),
    "offer_test-005.sdp": ("PCMU", 101),
    "offer_test-007.sdp": ("PCMU", 101),
    "offer_test-002.sdp": Refusal.NO_ADDRESS,
    "offer_test-006.sdp": Refusal.NO_ADDRESS,
    "offer_test-008.sdp": Refusal.ENCRYPTED,
    "offer_test-009.sdp": Refusal.ENCRYPTED,
    "offer_test-010.sdp": Refusal.ENCRYPTED,
    "offer_test-011.sdp": Refusal.ENCRYPTED,
}

pytestmark = pytest.mark.skipif(not FILES, reason="the corpora are not here")


def name(file: Path) -> str:
    """Folder and file."""
    return f"{file.parent.name}/{file.name}"


def examples():
    """RFC 4317: each answer with the offer before it, where both have audio."""
    offer = None
    for step in json.loads(EXAMPLES.read_bytes()) if EXAMPLES.exists() else ():
        if "nswer" not in step["label"]:
            offer = step["sdp"]
        elif "m=audio" in step["sdp"]:
            yield pytest.param(offer, step["sdp"], id=f"{step['section']}: {step['label']}")


@pytest.mark.parametrize("file", [file for file in FILES if name(file) not in REFUSED], ids=name)
def test_real_descriptions_are_read_and_survive_a_round_trip(file):
    """Browsers, telephones, cameras, trunks; RFC 8866 section 5."""
    description = parse(file.read_bytes())
    assert description == parse(description.serialize())


@pytest.mark.parametrize("file", [file for file in FILES if name(file) in REFUSED], ids=name)
def test_broken_descriptions_are_refused_for_the_right_reason(file):
    """Their own projects refuse them, too."""
    with pytest.raises(MalformedDescription, match=REFUSED[name(file)]):
        parse(file.read_bytes())


@pytest.mark.parametrize(("offer", "answer"), list(examples()))
def test_the_answers_of_rfc_4317_answer_their_offers(offer, answer):
    """Codec choice, holds, added and removed streams."""
    media = complete(parse(offer), parse(answer))
    assert media.codec.name in {"PCMU", "iLBC"}


@pytest.mark.parametrize(("file", "expected"), TRUNK.items(), ids=TRUNK)
def test_offers_of_a_real_trunk_come_to_pcmu_with_dtmf(file, expected):
    """Or to the reason against it: encrypted, or without an address."""
    local = LocalMedia(
        "192.0.2.1", 40_000, (Codec(0, "PCMU", 8_000),), Codec(96, "telephone-event", 8_000), session_id=1
    )
    offer = parse((CORPORA / "sdp" / "livekit-media-sdk" / file).read_bytes())
    try:
        media = negotiate(offer, local).media
    except NotAcceptable as refused:
        outcome = refused.refusal
    else:
        outcome = media.codec.name, media.send_event_type
    assert expected == outcome
