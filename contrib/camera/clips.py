#!/usr/bin/python3
"""Makes the camera rig's clips with ffmpeg.

  clips.py [--into DIR] [--list] NAME...

Each clip has a burnt-in clock and frame counter and an audio tone that never repeats, so that no two access units
of a clip are equal: a recording can be checked frame by frame against it. A clip's file name carries a checksum of
its recipe; one that exists is not made again. Prints one JSON object {NAME: PATH}.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Recipe:
    """What a clip is; `gop` and `seconds` are seconds, `rate` frames a second."""

    video: str | None = "h264"
    size: str = "320x240"
    rate: int = 15
    gop: float = 1
    seconds: int = 20
    audio: str | None = None
    b_frames: int = 0
    bitrate: str = "200k"
    noise: bool = False
    coded: bool = False

    @property
    def suffix(self) -> str:
        # MP4 has no sample entry for G.711; QuickTime has.
        return ".mov" if self.audio in ("alaw", "ulaw") else ".mp4"

    def arguments(self) -> list[str]:
        """ffmpeg's arguments, without the output file."""
        inputs: list[str] = []
        outputs: list[str] = []
        if self.video:
            inputs += ["-f", "lavfi", "-i", self.picture()]
            outputs += self.video_arguments()
        if self.audio:
            inputs += ["-f", "lavfi", "-i", self.tone()]
            outputs += self.audio_arguments()
        # Without an edit list every packet of the file is a packet of the clip, an audio encoder's delay included.
        # Reordered video needs one: without, the demuxer ends two frames early.
        edit_list = "1" if self.b_frames else "0"
        return inputs + outputs + ["-use_editlist", edit_list, "-movflags", "+faststart", "-fflags", "+bitexact"]

    def picture(self) -> str:
        size, rate = self.size, self.rate
        source = f"testsrc2=size={size}:rate={rate}"
        if self.noise:
            # One frame of noise for ever: a huge keyframe, then next to nothing.
            source = f"color=gray:size={size}:rate={rate},noise=alls=100:all_seed=7,loop=loop=-1:size=1"
        height = int(size.split("x")[1])
        text = "F %{frame_num} %{pts\\:hms}"
        if self.coded:
            source += self.code()
        return (
            f"{source},drawtext=fontfile={FONT}:text='{text}':fontsize={height // 12}:fontcolor=white:box=1:"
            f"boxcolor=black:x={height // 20}:y={height // 20},trim=duration={self.seconds},format=yuv420p"
        )

    def code(self) -> str:
        """The frame's number for machines: white, black, then ten bits, the highest first, as cells of 24 x 24."""
        height = int(self.size.split("x")[1])
        place = f":y={height - 32}:w=24:h=24:t=fill"
        cells = [f",drawbox=x=0:y={height - 36}:w=iw:h=32:color=black:t=fill", f",drawbox=x=8:color=white{place}"]
        for bit in range(10):
            cells.append(f",drawbox=x={8 + 25 * (11 - bit)}:color=white{place}:enable='mod(floor(n/{1 << bit})\\,2)'")
        return "".join(cells)

    def video_arguments(self) -> list[str]:
        group = int(self.gop * self.rate)
        if self.video == "h265":
            options = f"keyint={group}:min-keyint={group}:scenecut=0:bframes={self.b_frames}:log-level=error"
            return ["-c:v", "libx265", "-preset", "ultrafast", "-b:v", self.bitrate, "-x265-params", options,
                    "-tag:v", "hvc1"]
        rate = ["-qp", "19"] if self.noise else ["-b:v", self.bitrate]
        return ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", *rate, "-g", str(group),
                "-keyint_min", str(group), "-sc_threshold", "0", "-bf", str(self.b_frames)]

    def tone(self) -> str:
        rate = {"aac": 16000, "opus": 48000}.get(self.audio, 8000)
        return f"aevalsrc='0.4*sin(2*PI*(300+17*t)*t)+0.02*random(0)':s={rate}:d={self.seconds}"

    def audio_arguments(self) -> list[str]:
        codec = {"aac": "aac", "opus": "libopus", "alaw": "pcm_alaw", "ulaw": "pcm_mulaw"}[self.audio]
        return ["-c:a", codec, "-b:a", "32k", "-ac", "1"]


RECIPES = {
    # The demonstration camera of contrib/quickstart.
    "demo": Recipe(size="1280x720", rate=25, gop=2, seconds=30, audio="aac", bitrate="2M"),
    # Cheap cameras: eight of them, their recorders and the tests share two cores.
    "h264-aac": Recipe(rate=25, gop=1, audio="aac"),
    "h264-aac-slow": Recipe(size="640x360", rate=15, gop=2, audio="aac", bitrate="300k"),
    "h264-alaw": Recipe(rate=10, gop=2, audio="alaw"),
    "h264-ulaw": Recipe(rate=30, gop=1, audio="ulaw"),
    "h264-opus": Recipe(rate=15, gop=2, audio="opus"),
    "h264-video": Recipe(rate=15, gop=1),
    # Dozens of them at once: who waits for a keyframe holds up the next client.
    "h264-tiny": Recipe(size="160x120", rate=5, gop=0.2, bitrate="50k"),
    "h264-bframes": Recipe(rate=25, gop=2, b_frames=2),
    "h264-gop10": Recipe(rate=15, gop=10, seconds=30),
    "h265": Recipe(video="h265", rate=15, gop=2),
    "h265-aac": Recipe(video="h265", rate=25, gop=1, audio="aac"),
    "h265-other-size": Recipe(video="h265", size="480x272", rate=15, gop=1),
    "h264-other-size": Recipe(size="480x272", rate=25, gop=1, audio="aac"),
    "h264-big-keyframe": Recipe(size="1920x1080", rate=5, gop=2, seconds=8, noise=True),
    # Their frames can be told apart by a program that sees them.
    "coded-alaw": Recipe(rate=15, gop=1, seconds=60, audio="alaw", bitrate="300k", coded=True),
    "coded-aac": Recipe(rate=15, gop=1, seconds=60, audio="aac", bitrate="300k", coded=True),
    "coded-other-size": Recipe(size="480x272", rate=15, gop=1, seconds=60, bitrate="300k", coded=True),
    "aac-only": Recipe(video=None, audio="aac"),
}


def clip(name: str, into: Path) -> Path:
    """The path of the named clip, made if it is not there yet."""
    recipe = RECIPES[name]
    arguments = recipe.arguments()
    checksum = hashlib.sha256(json.dumps(arguments).encode()).hexdigest()[:8]
    path = into / f"{name}-{checksum}{recipe.suffix}"
    if path.exists():
        return path
    into.mkdir(parents=True, exist_ok=True)
    print(f"clips: making {name}", file=sys.stderr, flush=True)
    # Several processes may want the same clip at once: each makes its own and the last rename wins.
    handle, partial = tempfile.mkstemp(dir=into, prefix=f".{name}-", suffix=recipe.suffix)
    os.close(handle)
    try:
        subprocess.run(
            ["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, partial],
            check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
    return path


def default_directory() -> Path:
    return Path(os.environ.get("CVR_CLIPS") or REPOSITORY / "var" / "clips")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=default_directory(), metavar="DIR")
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if options.list:
        print("\n".join(RECIPES))
        return 0
    unknown = [name for name in options.names if name not in RECIPES]
    if unknown:
        parser.error(f"no such clip: {', '.join(unknown)}; known: {', '.join(RECIPES)}")
    try:
        print(json.dumps({name: str(clip(name, options.into)) for name in options.names}))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"clips: {error}; are the packages ffmpeg and fonts-dejavu-core installed?", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
