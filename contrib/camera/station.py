"""One simulated camera: an RTSP server on a port of its own and the clock that paces its access units."""

import random
import threading
import time
from dataclasses import dataclass
from fractions import Fraction

from clip import Clip, Gst
from faults import Responder
from feed import Feed, launch_line

import gi

gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, GstRtsp, GstRtspServer  # noqa: E402


@dataclass
class Access:
    """Who may watch, and how: `scheme` is basic or digest."""

    user: str = ""
    password: str = ""
    scheme: str = "digest"
    certificate: str = ""
    key: str = ""


class Playhead:
    """Where a camera stands in one looped track."""

    def __init__(self, track, start: Fraction):
        self.track = track
        self.start = start
        self.index = 0
        self.sent = 0

    @property
    def unit(self):
        return self.track.units[self.index % len(self.track.units)]

    @property
    def due(self) -> Fraction:
        loops = self.index // len(self.track.units)
        return self.start + loops * self.track.duration + self.unit.decode


class Factory(GstRtspServer.RTSPMediaFactory):
    """Builds one pipeline per client and hands it to the camera."""

    def __init__(self, station: "Station"):
        super().__init__()
        self.station = station
        self.set_launch(launch_line([head.track for head in station.heads]))
        self.set_shared(False)
        self.connect("media-configure", lambda _, media: station.joined(media))


def unpace(_, __, element):
    """A sink must not wait on the pipeline's clock: the camera paces itself and its timestamps may jump.

    The server turns `sync` on after this; `ts-offset` it leaves alone.
    """
    if element.find_property("ts-offset") and element.find_property("sync"):
        element.set_property("ts-offset", -(1 << 62))


def lose(media, tracks: int, share: float):
    """Drops that share of the RTP packets, as a bad network does; packets that travel as a list share their fate."""

    def decide(_, __):
        return Gst.PadProbeReturn.DROP if random.random() < share else Gst.PadProbeReturn.OK

    for index in range(tracks):
        pad = media.get_element().get_by_name(f"pay{index}").get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, decide)


class Station:
    def __init__(self, name: str, host: str, port: int, clip: Clip, access: Access, pool, report):
        self.name, self.host, self.port, self.access, self.report = name, host, port, access, report
        self.lock = threading.RLock()
        self.heads = [Playhead(track, Fraction(0)) for track in clip.tracks]
        self.feeds: dict[object, Feed] = {}
        self.epoch = time.monotonic()
        self.next_clip: Clip | None = None
        self.mode = "play"  # or stall, pause
        self.shift = Fraction(0)
        self.frozen_at: Fraction | None = None
        self.audio_delay = Fraction(0)
        self.loss = 0.0
        self.sessions = "many"  # or one, newest
        self.clients: list = []
        self.responder: Responder | None = None
        self.attached = 0
        self.pool = pool
        self.server: GstRtspServer.RTSPServer | None = None

    @property
    def url(self) -> str:
        scheme = "rtsps" if self.access.certificate else "rtsp"
        return f"{scheme}://{self.host}:{self.port}/{self.name}"

    def now(self) -> Fraction:
        return Fraction(time.monotonic() - self.epoch)

    # Serving

    def serve(self):
        """Listens and answers; also the way back from `vanish` and `fail`."""
        self.vanish()
        server = GstRtspServer.RTSPServer()
        server.set_address(self.host)
        server.set_service(str(self.port))
        server.set_thread_pool(self.pool)
        server.connect("client-connected", self.on_client)
        self.factory = Factory(self)
        self.protect(server, self.factory)
        server.get_mount_points().add_factory(f"/{self.name}", self.factory)
        attached = server.attach(None)
        if attached == 0:
            raise OSError(f"cannot listen on {self.host}:{self.port}")
        self.server, self.attached = server, attached

    def protect(self, server, factory):
        """Wants the user name and password of now from clients that come from now on."""
        access = self.access
        if not access.user and not access.certificate:
            return
        auth = GstRtspServer.RTSPAuth()
        if access.certificate:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(access.certificate, access.key))
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        if not access.user:
            auth.set_default_token(token)
        elif access.scheme == "digest":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(access.user, access.password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(access.user, access.password), token)
        permissions = GstRtspServer.RTSPPermissions()
        for permission in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("viewer", permission, True)
        factory.set_permissions(permissions)
        server.set_auth(auth)

    def vanish(self):
        """The listener goes, and every connection with it."""
        if self.responder:
            self.responder.close()
            self.responder = None
        if self.attached:
            GLib.Source.remove(self.attached)
            self.attached = 0
        self.kick()
        self.server = None

    def fail(self, kind: str):
        """A mini responder takes the port over until `serve`."""
        self.vanish()
        # The loop that waits at the listener lets go of it a moment later.
        for attempt in range(40):
            try:
                self.responder = Responder(self.host, self.port, kind, lambda: self.report(self.name, "connected"))
                break
            except OSError:
                if attempt == 39:
                    raise
                time.sleep(0.05)

    def kick(self):
        if self.server:
            self.server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
        with self.lock:
            self.feeds.clear()

    def on_client(self, _, client):
        self.report(self.name, "connected")
        client.connect("play-request", lambda *_: self.report(self.name, "playing"))
        client.connect("pre-setup-request", self.admit)
        client.connect("closed", self.on_closed)

    def on_closed(self, client):
        with self.lock:
            if client in self.clients:
                self.clients.remove(client)
        self.report(self.name, "closed")

    def admit(self, client, _):
        """Whether a client may watch; those that watch already have been asked."""
        with self.lock:
            others = [other for other in self.clients if other is not client]
            if others and self.sessions == "one":
                return GstRtsp.RTSPStatusCode.NOT_ENOUGH_BANDWIDTH
            if others and self.sessions == "newest":
                GLib.idle_add(lambda: [other.close() for other in others] and False)
            if client not in self.clients:
                self.clients.append(client)
        return GstRtsp.RTSPStatusCode.OK

    def joined(self, media):
        media.get_element().get_parent().connect("deep-element-added", unpace)
        media.connect("unprepared", self.left)
        if self.loss:
            lose(media, len(self.heads), self.loss)
        with self.lock:
            self.feeds[media] = Feed(media, [head.track for head in self.heads], self.now(), self.audio_delay)

    def left(self, media):
        with self.lock:
            self.feeds.pop(media, None)

    # Sending

    def pump(self):
        """Sends what has come due; called some fifty times a second."""
        with self.lock:
            now = self.now()
            if self.mode == "pause":
                return
            for index, head in enumerate(self.heads):
                while head.due <= now:
                    self.switch_clip(head)
                    self.send(index, head)
                    head.index += 1

    def send(self, index: int, head: Playhead):
        if self.mode == "stall":
            return
        due = head.due
        shift = self.shift if self.frozen_at is None else self.shift + self.frozen_at - due
        gone = [media for media, feed in self.feeds.items()
                if not feed.push(index, head.track, head.unit, due, shift)]
        for media in gone:
            self.feeds.pop(media, None)
        head.sent += 1 if self.feeds else 0

    def switch_clip(self, head: Playhead):
        if self.next_clip is None or not head.track.is_video or not head.unit.is_key:
            return
        track = self.next_clip.tracks[0]
        if track.codec != head.track.codec:
            self.report(self.name, f"clip refused: {track.codec} instead of {head.track.codec}")
        else:
            head.start, head.track, head.index = head.due, track, 0
        self.next_clip = None

    def statistics(self) -> dict:
        """Per track: units sent to a client, and the index in its clip of the last one that came due."""
        with self.lock:
            return {
                "clients": len(self.feeds),
                "tracks": [
                    {"codec": head.track.codec, "sent": head.sent, "units": len(head.track.units),
                     "last": (head.index - 1) % len(head.track.units)} for head in self.heads],
            }
