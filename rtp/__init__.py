"""RTP and what belongs to it: packets, reports, the jitter buffer, key presses, and one session that joins them.

Everything here is pure: bytes and instants go in, bytes, events and numbers come out. It knows nothing of SIP and nothing of
codecs; payloads are bytes. Sockets and clocks live in `offhook.rtp.aio`.
"""

from .drops import Drop
from .events import (
    Address,
    DtmfReceived,
    FirstPacket,
    OwnSsrcChanged,
    RemoteBye,
    RtpEvent,
    SourceChanged,
    SsrcChanged,
)
from .exceptions import LocalError, MalformedPacket, RemoteError, RtpError
from .jitter_buffer import Gap, JitterBuffer, JitterStats, Verdict
from .packet import RtpPacket, parse_header
from .quality import Quality, assess, mos_cqe, mos_lqe, r_factor
from .recording import StereoTimeline
from .report_schedule import ReportSchedule
from .reporter import RemoteReport, Reporter
from .rtcp import (
    ApplicationDefined,
    Goodbye,
    PayloadFeedback,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SdesChunk,
    SenderReport,
    SourceDescription,
    TransportFeedback,
    UnknownRtcp,
    is_rtcp,
    parse_compound,
    serialize_compound,
)
from .serial import Unwrapper, sequence_delta, timestamp_delta
from .session import Playout, Received, RtpSession, StreamStats
from .source import Arrival, IntervalStats, ReceptionStats, Source
from .source_policy import SourcePolicy
from .telephone_event import DtmfReceiver, DtmfSender, EventPacket, TelephoneEvent

__all__ = [
    "Address",
    "ApplicationDefined",
    "Arrival",
    "Drop",
    "DtmfReceived",
    "DtmfReceiver",
    "DtmfSender",
    "EventPacket",
    "FirstPacket",
    "Gap",
    "Goodbye",
    "IntervalStats",
    "JitterBuffer",
    "JitterStats",
    "LocalError",
    "MalformedPacket",
    "OwnSsrcChanged",
    "PayloadFeedback",
    "Playout",
    "Quality",
    "Received",
    "ReceiverReport",
    "ReceptionStats",
    "RemoteBye",
    "RemoteError",
    "RemoteReport",
    "ReportBlock",
    "ReportSchedule",
    "Reporter",
    "RtcpPacket",
    "RtpError",
    "RtpEvent",
    "RtpPacket",
    "RtpSession",
    "SdesChunk",
    "SenderReport",
    "Source",
    "SourceChanged",
    "SourceDescription",
    "SourcePolicy",
    "SsrcChanged",
    "StereoTimeline",
    "StreamStats",
    "TelephoneEvent",
    "TransportFeedback",
    "UnknownRtcp",
    "Unwrapper",
    "Verdict",
    "assess",
    "is_rtcp",
    "mos_cqe",
    "mos_lqe",
    "parse_compound",
    "parse_header",
    "r_factor",
    "sequence_delta",
    "serialize_compound",
    "timestamp_delta",
]
