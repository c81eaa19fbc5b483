// Live view of one camera: the growing segment, a fragment at a time, as close to now as its fragments allow.

import { Source } from "./source.js";
import * as server from "./server.js";

const RETRY = 2000;
/** What a viewer keeps behind the newest picture beside the length of a fragment, in seconds. */
const MARGIN = 0.15;

export class LivePlayer {
  /** `report(state, error)` is told `playing`, `waiting` or `failed`. */
  constructor(video, camera, report) {
    Object.assign(this, { video, camera, report, isClosed: false, interval: 1, failures: 0 });
    this.abort = new AbortController();
    this.run();
  }

  async run() {
    while (!this.isClosed) {
      try {
        this.report("waiting");
        await this.play();
        this.failures = 0;
      } catch (error) {
        if (this.isClosed || error.name === "AbortError") return;
        this.report("failed", error);
        if (error.track) return;
        this.failures += 1;
      }
      this.source?.close();
      await new Promise(resolve => setTimeout(resolve, Math.min(RETRY * 2 ** this.failures, 30000) / 2));
    }
  }

  async play() {
    const response = await server.get(server.stream(this.camera.name), { signal: this.abort.signal, cache: "no-store" });
    const reader = response.body.getReader();
    this.source = new Source(this.video);
    this.arrival = null;
    const cutter = new BoxCutter();
    let init = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.isClosed) return;
      for (const box of cutter.take(value)) {
        if (box.type === "ftyp") init = [];
        if (init) init.push(box.bytes);
        if (box.type === "moov") { await this.source.begin(join(init)); init = null; }
        else if (!init) await this.fragment(box);
      }
    }
  }

  async fragment(box) {
    if (box.type === "moof") { this.pending = box.bytes; return; }
    if (box.type !== "mdat" || !this.pending) return;
    const bytes = join([this.pending, box.bytes]);
    this.pending = null;
    const before = this.end();
    await this.source.append("media", bytes);
    const after = this.end();
    if (before !== null && after > before && after - before < 5) this.interval = after - before;
    this.follow(after);
    this.source.trim(this.video.currentTime, 15, 60);
  }

  end() {
    const ranges = this.video.buffered;
    return ranges.length ? ranges.end(ranges.length - 1) : null;
  }

  /** Right after a fragment came, its length and the margin are what is ahead: less stalls, more is late. */
  follow(end) {
    if (end === null) return;
    const wanted = this.interval + MARGIN;
    const ahead = end - this.video.currentTime;
    if (this.video.paused || ahead > wanted + 1.2 || ahead < 0) {
      const start = this.video.buffered.start(this.video.buffered.length - 1);
      this.video.currentTime = Math.max(start, end - wanted);
      this.video.play().then(() => this.report("playing"), () => {});
      this.video.playbackRate = 1;
    } else {
      this.video.playbackRate = ahead > wanted + 0.25 ? 1.1 : ahead > wanted + 0.08 ? 1.03 : ahead < wanted - 0.08 ? 0.97 : 1;
      this.report("playing");
    }
  }

  /** The moment that is shown, in UTC seconds. */
  get time() { return this.video.currentTime > 1e8 ? this.video.currentTime : Date.now() / 1000; }

  close() {
    this.isClosed = true;
    this.abort.abort();
    this.source?.close();
  }
}

function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

/** Cuts a stream of bytes into its top boxes. */
class BoxCutter {
  constructor() { this.rest = new Uint8Array(0); }

  take(bytes) {
    this.rest = this.rest.length ? join([this.rest, bytes]) : bytes;
    const found = [];
    for (;;) {
      if (this.rest.length < 8) return found;
      const view = new DataView(this.rest.buffer, this.rest.byteOffset);
      const size = view.getUint32(0);
      if (size < 8) throw new Error("the live stream is damaged");
      if (this.rest.length < size) return found;
      const type = String.fromCharCode(...this.rest.subarray(4, 8));
      found.push({ type, bytes: this.rest.slice(0, size) });
      this.rest = this.rest.subarray(size);
    }
  }
}
