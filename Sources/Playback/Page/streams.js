// The live fragments of all cameras that are watched, in one response of the server's: a browser has six connections.

import * as server from "./server.js";

const HEAD = 8;
const RETRY = 1000, LONGEST_RETRY = 15000;
/** Cameras that come and go together are asked for together, in milliseconds. */
const SETTLE = 30;
const KINDS = { begin: 0x69, part: 0x70, fragment: 0x66, end: 0x65 };

export class LiveStreams {
  constructor() { Object.assign(this, { sinks: new Map(), failures: 0 }); }

  /** `sink` has begin(init), fragment(bytes), end(code) and lost(error); one a camera. */
  watch(camera, sink) {
    this.sinks.set(camera, sink);
    this.renew();
  }

  leave(camera, sink) {
    if (this.sinks.get(camera) !== sink) return;
    this.sinks.delete(camera);
    this.renew();
  }

  /** Asks anew: each camera begins with its newest key. */
  renew(pause = SETTLE) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), pause);
  }

  /** What is watched now goes on until the new response is there; a fragment that comes twice harms nobody. */
  async open() {
    const before = this.abort, cameras = [...this.sinks.keys()];
    const abort = this.abort = new AbortController();
    if (!cameras.length) { before?.abort(); return; }
    try {
      const response = await server.get(server.streams(cameras), { signal: abort.signal, cache: "no-store" });
      before?.abort();
      this.failures = 0;
      await this.read(response.body.getReader(), cameras, abort);
      throw new Error("The connection to the server ended.");
    } catch (error) {
      before?.abort();
      if (abort !== this.abort || abort.signal.aborted) return;
      this.failures += 1;
      for (const camera of cameras) this.sinks.get(camera)?.lost(error);
      this.renew(Math.min(RETRY * 2 ** (this.failures - 1), LONGEST_RETRY));
    }
  }

  async read(reader, cameras, abort) {
    const frames = new FrameCutter();
    const parts = new Map();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const { kind, camera, content } of frames.take(value)) {
        if (abort.signal.aborted) return;
        this.take(kind, cameras[camera], content, parts);
      }
    }
  }

  take(kind, camera, content, parts) {
    const sink = this.sinks.get(camera);
    const whole = () => {
      const bytes = join([...(parts.get(camera) ?? []), content]);
      parts.delete(camera);
      return bytes;
    };
    if (kind === KINDS.part) parts.set(camera, [...(parts.get(camera) ?? []), content]);
    else if (kind === KINDS.begin) sink?.begin(whole());
    else if (kind === KINDS.fragment) sink?.fragment(whole());
    else if (kind === KINDS.end) { parts.delete(camera); sink?.end(new TextDecoder().decode(content)); }
  }
}

function join(parts) {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

/** Cuts what comes into frames: kind, a zero byte, the camera's place in the request, the length of the content. */
class FrameCutter {
  constructor() { Object.assign(this, { pieces: [], length: 0 }); }

  *take(bytes) {
    this.pieces.push(bytes);
    this.length += bytes.length;
    while (this.length >= HEAD) {
      // Joined only when there is a frame in it: pieces of large fragments come by the hundred.
      if (this.pieces.length > 1 && this.length >= (this.wanted ?? HEAD)) this.pieces = [join(this.pieces)];
      const [first] = this.pieces;
      if (first.length < HEAD) return;
      const head = new DataView(first.buffer, first.byteOffset);
      const end = HEAD + head.getUint32(4);
      this.wanted = end;
      if (first.length < end) return;
      yield { kind: head.getUint8(0), camera: head.getUint16(2), content: first.slice(HEAD, end) };
      this.pieces = [first.subarray(end)];
      this.length -= end;
      this.wanted = null;
    }
  }
}
