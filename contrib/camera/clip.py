"""A clip as access units: demuxed once, then looped for ever without transcoding."""

import math
import threading
from dataclasses import dataclass, field
from fractions import Fraction

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)

# Caps of the demuxer -> (codec, parser, payloader). Only the parser repeats the parameter sets before each
# keyframe: a payloader that did so too would send them as an access unit of its own.
BYTE_STREAM = "stream-format=byte-stream,alignment=au"
CODECS = {
    "video/x-h264": ("h264", f"h264parse config-interval=-1 ! video/x-h264,{BYTE_STREAM}", "rtph264pay"),
    "video/x-h265": ("h265", f"h265parse config-interval=-1 ! video/x-h265,{BYTE_STREAM}", "rtph265pay"),
    "audio/mpeg": ("aac", "aacparse ! audio/mpeg,stream-format=raw", "rtpmp4gpay"),
    "audio/x-opus": ("opus", "opusparse", "rtpopuspay"),
    "audio/x-alaw": ("alaw", "identity", "rtppcmapay"),
    "audio/x-mulaw": ("ulaw", "identity", "rtppcmupay"),
}
G711_PACKET = 320  # bytes: 40 ms


@dataclass
class Unit:
    """One access unit or audio frame; times in seconds from the start of the clip."""

    data: bytes
    decode: Fraction
    presentation: Fraction
    is_key: bool


@dataclass
class Track:
    codec: str
    payloader: str
    caps: Gst.Caps
    units: list[Unit] = field(default_factory=list)
    duration: Fraction = Fraction(0)
    # Annex B parameter sets, for a client that joins between two keyframes.
    parameter_sets: bytes = b""

    @property
    def is_video(self) -> bool:
        return self.codec in ("h264", "h265")


class Clip:
    """The tracks of one file, video first."""

    def __init__(self, path: str):
        self.path = path
        self.tracks = [timed(track) for track in demux(path)]
        self.tracks.sort(key=lambda track: not track.is_video)
        if not self.tracks:
            raise ValueError(f"{path} holds no track that a camera can send")


def demux(path: str) -> list[Track]:
    pipeline = Gst.parse_launch("filesrc name=file ! qtdemux name=demux")
    pipeline.get_by_name("file").set_property("location", path)
    tracks: list[Track] = []
    added = threading.Lock()

    def on_pad(_, pad):
        name = pad.get_current_caps().get_structure(0).get_name()
        if name not in CODECS:
            return
        codec, parser, payloader = CODECS[name]
        # Neither sync nor async: two tracks would wait for each other's preroll.
        branch = Gst.parse_bin_from_description(
            f"{parser} ! appsink name=sink sync=false async=false emit-signals=true max-buffers=0", True)
        track = Track(codec, payloader, Gst.Caps.new_empty())
        branch.get_by_name("sink").connect("new-sample", collect, track)
        with added:
            tracks.append(track)
        pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    pipeline.get_by_name("demux").connect("pad-added", on_pad)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message is None or message.type == Gst.MessageType.ERROR:
        raise ValueError(f"{path}: {message.parse_error() if message else 'not read within 60 s'}")
    return tracks


def collect(sink, track: Track):
    sample = sink.emit("pull-sample")
    buffer = sample.get_buffer()
    track.caps = sample.get_caps()
    data = buffer.extract_dup(0, buffer.get_size())
    decode = buffer.dts if buffer.dts != Gst.CLOCK_TIME_NONE else buffer.pts
    is_key = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
    track.units.append(Unit(data, Fraction(decode, Gst.SECOND), Fraction(buffer.pts, Gst.SECOND), is_key))
    return Gst.FlowReturn.OK


def timed(track: Track) -> Track:
    """Replaces the container's rounded times by exact ones, so that every loop joins the next without a jitter."""
    structure = track.caps.get_structure(0)
    if track.codec in ("alaw", "ulaw"):
        samples = b"".join(unit.data for unit in track.units)
        samples = samples[: len(samples) // G711_PACKET * G711_PACKET]
        pieces = [samples[at : at + G711_PACKET] for at in range(0, len(samples), G711_PACKET)]
        track.units = [Unit(piece, Fraction(0), Fraction(0), True) for piece in pieces]
        period = Fraction(G711_PACKET, 8000)
    elif track.codec == "aac":
        period = Fraction(1024, structure.get_int("rate")[1])
    elif track.codec == "opus":
        period = Fraction(20, 1000)
    else:
        known, numerator, denominator = structure.get_fraction("framerate")
        if not known or numerator == 0:
            raise ValueError(f"{track.codec} without a constant frame rate cannot be looped")
        period = Fraction(denominator, numerator)
        first = next(unit.data for unit in track.units if unit.is_key)
        track.parameter_sets = parameter_sets(first, track.codec)
        # The first caps' size must not be announced for a clip that replaces this one later.
        track.caps = Gst.Caps.from_string(f"{structure.get_name()},{BYTE_STREAM}")
    for index, unit in enumerate(track.units):
        reordered = round((unit.presentation - unit.decode) / period)
        unit.decode = index * period
        unit.presentation = unit.decode + reordered * period
    track.duration = len(track.units) * period
    return track


def parameter_sets(access_unit: bytes, codec: str) -> bytes:
    kinds = (7, 8) if codec == "h264" else (32, 33, 34)
    units = [unit.rstrip(b"\0") for unit in access_unit.split(b"\0\0\1")[1:]]
    kept = [unit for unit in units if unit and (unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63) in kinds]
    return b"".join(b"\0\0\0\1" + unit for unit in kept)


def nanoseconds(time: Fraction) -> int:
    """Rounded up: a payloader rounds down to its clock, so whole ticks stay whole."""
    return math.ceil(time * Gst.SECOND)
