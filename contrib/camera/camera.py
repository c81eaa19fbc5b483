#!/usr/bin/python3
"""Simulated RTSP cameras on gst-rtsp-server: live, endless, without transcoding.

  camera.py [--listen HOST:PORT] --camera NAME=CLIP[,OPTION...] [--camera ...]

CLIP is an MP4 or QuickTime file, or the name of a clip of clips.py. OPTIONs: user=U, password=P, auth=basic|digest,
tls=CERTIFICATE:KEY. A comma or an equals sign in a value is not possible. Each camera has a port of its own: PORT,
PORT+1, … or, with PORT 0, free ones. When all serve, one line {"ready": {NAME: URL}} is printed.

Commands are read from standard input, one a line, each answered by one line of JSON, {"ok": …} or {"error": …}:

  stall NAME               send nothing; what came due meanwhile is lost
  pause NAME               send nothing; what came due meanwhile follows at `resume`
  resume NAME              end of stall, pause, vanish and fail
  kick NAME                drop its clients
  vanish NAME              stop listening, drop its clients
  fail NAME KIND           let a mini RTSP responder misbehave on the port: see faults.py
  timestamps NAME +S|-S|freeze|run
  format NAME CLIP         go on with another clip's video from the next keyframe
  audio NAME late S        clients that come from now on get no audio for S seconds
  loss NAME PERCENT        clients that come from now on lose that share of the RTP packets
  password NAME NEW        for clients that come from now on
  sessions NAME many|one|newest   refuse a second client with 453, or drop the first for it
  stats NAME               units sent, and where the camera stands in its clip
  quit

Between them, {"event": "connected|playing|closed", "camera": NAME}. End of input ends the cameras.
"""

import argparse
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import clips
from clip import Clip
from station import Access, GLib, GstRtspServer, Station

TICK = 0.02


class Rig:
    def __init__(self, host: str, port: int, cameras: list[str]):
        self.output = threading.Lock()
        self.loaded: dict[str, Clip] = {}
        self.stations: dict[str, Station] = {}
        pool = GstRtspServer.RTSPThreadPool()
        pool.set_max_threads(1)
        for position, text in enumerate(cameras):
            name, clip, access = parse_camera(text)
            number = port + position if port else free_port(host)
            self.stations[name] = Station(name, host, number, self.load(clip), access, pool, self.event)

    def serve(self, hasty: bool):
        """Lets every camera listen; with `hasty` somebody else may take a port that was free, and another will do."""
        for station in self.stations.values():
            for attempt in range(20):
                try:
                    station.serve()
                    break
                except OSError:
                    if not hasty or attempt == 19:
                        raise
                    station.port = free_port(station.host)

    def load(self, name: str) -> Clip:
        path = str(clips.clip(name, clips.default_directory())) if name in clips.RECIPES else name
        if path not in self.loaded:
            if not Path(path).is_file():
                raise ValueError(f"no such clip: {path}; a file, or one of {', '.join(clips.RECIPES)}")
            self.loaded[path] = Clip(path)
        return self.loaded[path]

    def say(self, message: dict):
        with self.output:
            print(json.dumps(message), flush=True)

    def event(self, camera: str, event: str):
        self.say({"event": event, "camera": camera})

    def pump(self):
        while True:
            for station in self.stations.values():
                station.pump()
            time.sleep(TICK)

    def converse(self, quit_loop):
        for line in sys.stdin:
            words = line.split()
            if words == ["quit"]:
                break
            if words:
                try:
                    self.say({"ok": line.strip(), **self.obey(*words)})
                except (ValueError, OSError) as error:
                    self.say({"error": f"{line.strip()}: {error}"})
        quit_loop()

    def obey(self, command: str, name: str = "", *rest: str) -> dict:
        station = self.stations.get(name)
        if station is None:
            raise ValueError(f"no such camera; known: {', '.join(self.stations)}")
        match command, *rest:
            case ["stall" | "pause"]:
                station.mode = command
            case ["resume"]:
                station.mode = "play"
                if station.server is None:
                    station.serve()
            case ["kick"]:
                station.kick()
            case ["vanish"]:
                station.vanish()
            case ["fail", kind]:
                station.fail(kind)
            case ["timestamps", "freeze"]:
                station.frozen_at = station.now()
            case ["timestamps", "run"]:
                station.frozen_at = None
            case ["timestamps", jump] if jump[0] in "+-":
                station.shift += Fraction(jump)
            case ["format", clip]:
                station.next_clip = self.load(clip)
            case ["audio", "late", delay]:
                station.audio_delay = Fraction(delay)
            case ["loss", percent]:
                station.loss = float(percent) / 100
            case ["password", new]:
                station.access.password = new
                if station.server is not None:
                    station.protect(station.server, station.factory)
            case ["sessions", "many" | "one" | "newest" as sessions]:
                station.sessions = sessions
            case ["stats"]:
                return station.statistics()
            case _:
                raise ValueError("not understood; see camera.py --help")
        return {}


def parse_camera(text: str) -> tuple[str, str, Access]:
    name, separator, rest = text.partition("=")
    clip, *options = rest.split(",")
    if not (name and separator and clip):
        raise ValueError(f"'{text}' is not NAME=CLIP[,OPTION...]")
    access = Access()
    for option in options:
        key, _, value = option.partition("=")
        match key:
            case "user" | "password":
                setattr(access, key, value)
            case "auth" if value in ("basic", "digest"):
                access.scheme = value
            case "tls":
                access.certificate, _, access.key = value.partition(":")
            case _:
                raise ValueError(f"'{option}' is not a camera option")
    return name, clip, access


def free_port(host: str) -> int:
    """A free port below the ephemeral range.

    A client that connects to a closed port of the ephemeral range can end up connected to itself.
    """
    while True:
        port = random.randint(20000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--camera", action="append", required=True, metavar="NAME=CLIP[,OPTION...]")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    loop = GLib.MainLoop()
    try:
        rig = Rig(host, int(port), options.camera)
        rig.serve(hasty=int(port) == 0)
    except (ValueError, OSError) as error:
        print(f"camera: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)
    threading.Thread(target=rig.pump, daemon=True).start()
    threading.Thread(target=rig.converse, args=(loop.quit,), daemon=True).start()
    rig.say({"ready": {name: station.url for name, station in rig.stations.items()}})
    loop.run()
    sys.stdout.flush()
    # The server's threads are C threads that hold cameras: let none of them outlive the interpreter's teardown.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
