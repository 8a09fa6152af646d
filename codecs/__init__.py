"""Sound: codecs, and what is done with samples before and after them.

`codec("PCMU")` gives an object that encodes and decodes; `Pcm` is the one shape in which sound travels. Beside it lie
resampling, the concealment of lost packets, tones and levels. Nothing here knows of RTP or SIP.
"""

from .base import FRAME_SECONDS, AudioCodec, Pcm, StatelessCodec
from .concealment import Concealer
from .g711 import FastG711, ReferenceG711, pcma_to_pcmu, pcmu_to_pcma
from .levels import goertzel, rms_dbov, tone_present
from .registry import AVAILABLE, UnknownCodec, codec
from .resampling import Resampler, resample
from .tones import BUSY, DTMF_FREQUENCIES, RINGBACK, Cadence, cadence, dtmf_tone, tone

__all__ = [
    "AVAILABLE",
    "BUSY",
    "DTMF_FREQUENCIES",
    "FRAME_SECONDS",
    "RINGBACK",
    "AudioCodec",
    "Cadence",
    "Concealer",
    "FastG711",
    "Pcm",
    "ReferenceG711",
    "Resampler",
    "StatelessCodec",
    "UnknownCodec",
    "cadence",
    "codec",
    "dtmf_tone",
    "goertzel",
    "pcma_to_pcmu",
    "pcmu_to_pcma",
    "resample",
    "rms_dbov",
    "tone",
    "tone_present",
]
