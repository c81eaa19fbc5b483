#!/usr/bin/env python3
"""Reads a DASH manifest to its end by GStreamer's reader (dashdemux2 in urisourcebin), and tells what came out.

  dash.py MANIFEST-URL FOLDER COUNT

It ends when COUNT tracks have. Each track of each Period becomes an elementary stream in FOLDER, pictures as Annex B. One line
of JSON, in the order in which they began: {"streams": [{"codec": CAPS, "file": PATH, "times": [S, …]}, …], "error": TEXT}. Times are of the presentation.
"""

import json
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

START = b"\0\0\0\1"


def annex_b(data):
    """Of a picture whose units each have their length before them (ISO/IEC 14496-15)."""
    found = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        found, data = found + [data[4:end]], data[end:]
    return b"".join(START + unit for unit in found)


def parameter_sets(record):
    """Those of an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1.2), as Annex B."""
    found, at = b"", 23
    for _ in range(record[22]):
        count, at = int.from_bytes(record[at + 1 : at + 3], "big"), at + 3
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at : at + 2], "big")
            found, at = found + START + record[at + 2 : end], end
    return found


class Track:
    """What comes out of one pad, which Periods share."""

    def __init__(self, reader):
        self.reader, self.segment, self.caps, self.stream, self.file = reader, None, None, None, None

    def hear(self, event):
        match event.type:
            case Gst.EventType.STREAM_START:
                self.stream = None
            case Gst.EventType.CAPS:
                self.caps = event.parse_caps().get_structure(0)
            case Gst.EventType.SEGMENT:
                self.segment = event.parse_segment().copy()

    def begin(self):
        path = f"{self.reader.folder}/stream-{len(self.reader.streams)}"
        self.stream, self.file = {"codec": self.caps.get_name(), "file": path, "times": []}, open(path, "wb", buffering=0)
        self.reader.streams.append(self.stream)
        if self.is_prefixed:
            record = self.caps.get_value("codec_data")
            self.file.write(parameter_sets(record.extract_dup(0, record.get_size())))

    @property
    def is_prefixed(self):
        return self.caps.get_string("stream-format") == "hvc1"

    def take(self, buffer):
        if self.stream is None:
            self.begin()
        self.reader.taken += 1
        data = buffer.extract_dup(0, buffer.get_size())
        self.file.write(annex_b(data) if self.is_prefixed else data)
        # The first may be a rounding before its Period.
        time = max(buffer.pts, self.segment.start)
        self.stream["times"].append(self.segment.to_stream_time(Gst.Format.TIME, time) / Gst.SECOND)

    def probe(self, _, info):
        if info.type & Gst.PadProbeType.BUFFER:
            self.take(info.get_buffer())
        else:
            self.hear(info.get_event())
        return Gst.PadProbeReturn.OK


class Reader:
    def __init__(self, url, folder, count):
        self.folder, self.streams, self.error = folder, [], ""
        self.count, self.taken, self.seen = int(count), 0, -1
        self.loop, self.pipeline = GLib.MainLoop(), Gst.Pipeline()
        # Parsed, as they are stored: what was recorded is compared byte by byte. A decodebin3 in between may push the first
        # pictures of a Period before its pad has anything behind it.
        source = self.make("urisourcebin", **{"uri": url, "parse-streams": True})
        source.connect("pad-added", self.follow)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.hear)

    def make(self, name, **properties):
        element = Gst.ElementFactory.make(name)
        for key, value in properties.items():
            element.set_property(key, value)
        self.pipeline.add(element)
        return element

    def follow(self, _, pad):
        pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM, Track(self).probe)
        sink = self.make("fakesink", **{"sync": False, "async": False})
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def hear(self, _, message):
        if message.type == Gst.MessageType.ERROR:
            error, detail = message.parse_error()
            self.error = f"{error.message} ({detail})"
            self.loop.quit()
        if message.type == Gst.MessageType.EOS:
            GLib.timeout_add(500, self.look)

    def look(self):
        """The pipeline ends when all pads have that are there, be it before the last one is."""
        if len(self.streams) == self.count and self.taken == self.seen:
            self.loop.quit()
        self.seen = self.taken
        return GLib.SOURCE_CONTINUE

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        print(json.dumps({"streams": self.streams, "error": self.error}))


Gst.init(None)
Reader(*sys.argv[1:4]).run()
