"""What one client of a camera is sent: the camera's access units as they come due, with its timestamps."""

from fractions import Fraction

from clip import Gst, Track, Unit, nanoseconds

# Buffers' times start here, so that a jump of ten years back is still a valid time. A multiple of 2^28 s is a whole
# number of turns of the RTP clock at 90, 8, 16 and 48 kHz: the server's sender reports compare RTP time with the
# pipeline's running time, which starts at 0, and must not see a difference between tracks.
ORIGIN = Fraction(1 << 30)


class Feed:
    """The appsrcs of one RTSP media."""

    def __init__(self, media, tracks: list[Track], now: Fraction, audio_delay: Fraction):
        element = media.get_element()
        self.sources = [element.get_by_name(f"source{index}") for index in range(len(tracks))]
        for source, track in zip(self.sources, tracks):
            source.set_property("caps", track.caps)
        # Whole seconds: whole ticks of every track's clock.
        self.start = Fraction(int(now))
        self.audio_from = now + audio_delay
        self.joined = [False] * len(tracks)

    def push(self, index: int, track: Track, unit: Unit, due: Fraction, shift: Fraction) -> bool:
        """False once the client is gone; `due` is the unit's decode time on the camera's clock."""
        data = unit.data
        if not track.is_video and due < self.audio_from:
            if self.joined[index]:
                return True
            # Lets the server describe and start a track that has nothing to send yet.
            self.joined[index] = True
            gap = Gst.Event.new_gap(nanoseconds(ORIGIN), 0)
            return self.sources[index].send_event(gap) or True
        if not self.joined[index]:
            self.joined[index] = True
            if not unit.is_key:
                data = track.parameter_sets + data
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.dts = nanoseconds(ORIGIN + shift + due - self.start)
        buffer.pts = buffer.dts + nanoseconds(unit.presentation - unit.decode)
        if not unit.is_key:
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        return self.sources[index].emit("push-buffer", buffer) == Gst.FlowReturn.OK


def launch_line(tracks: list[Track]) -> str:
    """The pipeline of one media; nothing in it waits on a clock, since the camera paces itself."""
    branches = []
    for index, track in enumerate(tracks):
        aggregate = " aggregate-mode=zero-latency" if track.is_video else ""
        branches.append(
            f"appsrc name=source{index} is-live=true format=time block=false max-bytes=0 max-time=0 max-buffers=4096 "
            f"leaky-type=downstream ! {track.payloader} name=pay{index} pt={96 + index} mtu=1400{aggregate}")
    return "( " + " ".join(branches) + " )"
