// G.711 of live footage, which browsers do not decode: made into samples here, and played in step with the picture.

/** So far sound may be from the picture before it begins anew, in seconds. */
const SLACK = 0.12;

export class Speaker {
  constructor(video) {
    Object.assign(this, { video, context: new AudioContext(), playing: new Set(), next: 0 });
    this.output = this.context.createGain();
    this.output.connect(this.context.destination);
  }

  /** `time` is when the first sample of `data` is due on the picture's time line. */
  play({ time, data }, { codec, timescale, channels }) {
    const count = Math.floor(data.length / channels);
    if (!count || this.context.state === "closed" || this.video.paused) return;
    const buffer = this.context.createBuffer(channels, count, timescale);
    const table = codec === "alaw" ? A_LAW : MU_LAW;
    for (let channel = 0; channel < channels; channel++) {
      const samples = buffer.getChannelData(channel);
      for (let index = 0; index < count; index++) samples[index] = table[data[index * channels + channel]];
    }
    const now = this.context.currentTime;
    const due = now + time - this.video.currentTime;
    // Right behind what came before, as long as that is in step.
    if (Math.abs(due - this.next) > SLACK) { this.stop(); this.next = due; }
    const late = Math.max(0, now - this.next);
    if (late < buffer.duration) this.start(buffer, this.next + late, late);
    this.next += buffer.duration;
  }

  start(buffer, at, offset) {
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.output);
    source.addEventListener("ended", () => this.playing.delete(source));
    this.playing.add(source);
    source.start(at, offset);
  }

  stop() {
    for (const source of this.playing) source.stop();
    this.playing.clear();
  }

  close() { this.stop(); this.context.close(); }
}

/** ITU-T G.711, table 1a: the code's bits are alternately inverted. */
const A_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55, exponent = (bits >> 4) & 7, mantissa = ((bits & 15) << 4) + 8;
  const value = exponent ? (mantissa + 0x100) << (exponent - 1) : mantissa;
  return (bits & 0x80 ? value : -value) / 32768;
});

/** ITU-T G.711, table 2a: all bits are inverted. */
const MU_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 255;
  const value = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? -value : value) / 32768;
});
