// Recorded footage of one camera: shows the moment that the page's clock says, from byte ranges of segments.

import { OtherTracks, Source, undecodable } from "./source.js";
import { frameTimes } from "./mp4.js";
import { parsePlaylist } from "./playlist.js";
import * as server from "./server.js";
import { EVERYTHING, Troubles } from "./troubles.js";

/** A manifest is asked for so much at a time, in seconds. */
const WINDOW = 120;
const KEPT_BEHIND = 30;
const USUAL_FRAME = 0.04;
/** An answer of which nothing came for so long will not come, in milliseconds. */
const SILENCE = 20000;
/** So far from the clock a picture jumps, in seconds of the viewer's; from further on all wait for it. */
const LATE = 0.2, FAR = 2;
/** So near, in seconds, it is where a clock that jumped is. */
const CLOSE = 0.03;
/** Between jumps, in milliseconds: on a busy machine another one costs more than it gains. */
const REST = 1000;
/** Requests under way at a time: at sixteen times the speed each would else wait for the one before. */
const AT_ONCE = 3;
/** Sound that the server has to transcode is taken along up to this speed. */
const FASTEST_HEARD = 2;
/** What went wrong is tried again after so long, in milliseconds: a server that does not answer, bytes that a decoder
    refused, a codec that the browser has not. */
const PAUSE = 5000, DECODER_RETRY = 30000, CODEC_RETRY = 600000;
/** Where sound cannot be made, so many seconds are shown without: each beginning with or without it costs a moment. */
const WITHOUT_SOUND = 60;

export class RecordedPlayer {
  /** `report(state, detail)` is told `playing`, `waiting`, `gap` or `failed`; `notice(text)` what does not stop the picture. */
  constructor(video, camera, report, notice) {
    Object.assign(this, { video, camera, report, notice, isClosed: false, chunks: [], from: 0, to: 0, frames: [], loaded: new Map() });
    // How long a jump and a load take, in seconds, and when it jumped last.
    Object.assign(this, { jumpTime: 0.02, loadTime: 0, jumped: -Infinity });
    this.troubles = new Troubles();
    /** Keys of init parts whose tracks this source cannot take: when their moment comes another source begins. */
    this.others = new Set();
    /** Footage without its sound, which could not be made: {from, to}. */
    this.silence = null;
    this.source = null;
    this.isReady = false;
    this.withSound = false;
    this.abort = new AbortController();
    video.pause();
    video.addEventListener("seeked", this.onSeeked = () => this.landed());
  }

  /** To be called often: shows `time`, as the page's clock goes; fetches what comes next. */
  show(time, { rate, isPlaying, isHeld, jumps }) {
    this.isMoved ||= jumps !== this.jumps;
    this.jumps = jumps;
    this.target = time;
    this.rate = rate;
    this.isHeld = isHeld && isPlaying;
    this.isRunning = isPlaying && !isHeld;
    if (this.source?.silent && this.source.hasSound !== this.hasSound || this.others.has(this.chunkAt(time)?.init.key)) this.restart();
    if (this.source && this.video.error) this.refuse(this.chunkAt(time), undecodable(this.video), this.source);
    this.fill();
    this.look();
    if (!this.isReady) { if (!this.video.paused) this.video.pause(); return; }
    this.steer();
  }

  /** In step with the page's clock: small differences by speed, large ones by a jump. */
  steer() {
    const { video } = this;
    if (video.seeking) return;
    const drift = video.currentTime - this.target;
    if (!this.isRunning && !video.paused) video.pause();
    if (!this.isRunning && !this.isHeld) {
      const place = this.frameAt(this.target);
      if (Math.abs(video.currentTime - place) > 0.001) this.jump(place, true);
      this.isMoved = false;
      return;
    }
    const unit = Math.max(1, this.rate);
    const isFar = this.isMoved || Math.abs(drift) > FAR * unit, isRested = performance.now() - this.jumped > REST;
    if (Math.abs(drift) > (this.isMoved ? CLOSE : LATE * unit) && (isFar || isRested))
      this.jump(this.target + (this.isRunning && !isFar ? this.jumpTime * this.rate : 0), isFar);
    this.isMoved = false;
    if (this.isHeld) return;
    if (video.paused) video.play().catch(() => {});
    // Faster playback takes a correction up faster, too.
    const strength = 1.5 / Math.max(1, this.rate / 4);
    const correction = Math.abs(drift) < 0.008 ? 0 : Math.max(-0.25, Math.min(0.25, drift * strength));
    video.playbackRate = Math.max(0.1, Math.min(16, this.rate * (1 - correction)));
  }

  /** What only fell behind lands where the others are by then, and they do not wait for it. */
  jump(place, isFar) {
    this.isCatchingUp = !isFar;
    this.jumped = performance.now();
    this.video.currentTime = place;
  }

  landed() {
    const took = (performance.now() - this.jumped) / 1000;
    if (took < 5) this.jumpTime += (Math.min(took, 0.5) - this.jumpTime) / 4;
    this.isCatchingUp = false;
    this.look();
  }

  /** In the middle of the frame that is shown at `time`, so that no rounding shows its neighbour. */
  frameAt(time) {
    const index = this.frameIndex(time);
    if (index < 0) return time;
    const next = this.frames[index + 1] ?? this.frames[index] + USUAL_FRAME;
    return next - this.frames[index] > 1 ? time : (this.frames[index] + next) / 2;
  }

  /** Of the last frame at or before `time`; -1 without one. */
  frameIndex(time) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle] <= time + 0.0005) low = middle + 1; else high = middle;
    }
    return low - 1;
  }

  /** The moment of the frame `count` frames from the one at `time`. */
  step(time, count) {
    const index = this.frameIndex(time) + count;
    return this.frames[index] ?? time + count * USUAL_FRAME;
  }

  chunkAt(time) { return this.chunks.find(chunk => chunk.start <= time && time < chunk.end && !chunk.isGap); }

  /** Whether the moment can be shown now, is on its way, or is in a gap. */
  look() {
    const chunk = this.chunkAt(this.target);
    const error = this.troubles.at(chunk);
    const ahead = this.source ? this.source.bufferedEnd(this.target) - this.target : 0;
    const needed = this.isRunning ? 0.08 * Math.max(1, this.rate) : 0;
    // Before a gap nothing more comes: the last pictures are as ready as they will ever be.
    const isLast = chunk && this.loadedBytes(chunk) >= chunk.length && chunk.end - this.target < needed + 0.12;
    const ready = ahead > needed || isLast;
    this.isReady = Boolean(ready);
    const isCatchingUp = this.isCatchingUp && performance.now() - this.jumped < SILENCE / 10;
    if (ready && isCatchingUp) this.report("playing");
    else if (ready && !this.video.seeking) this.report(this.video.readyState >= 2 ? "playing" : "waiting");
    else if (error) this.report("failed", error);
    else if (!this.isFetching && this.isKnown(this.target) && !chunk) this.report("gap", this.next());
    else this.report("waiting");
  }

  /** The start of the next recorded chunk, as far as the playlist tells. */
  next() { return this.chunks.find(chunk => chunk.start > this.target && !chunk.isGap)?.start; }

  isKnown(time) { return this.from <= time && time < this.to; }

  async fill() {
    if (this.isFilling || this.isClosed || this.troubles.of(EVERYTHING)) return;
    this.isFilling = true;
    try {
      // Not a load a picture of the screen: those may be slower than what is missing.
      while (!this.isClosed && await this.fetchAround(this.target));
    } catch (error) {
      if (this.isClosed || error.name === "AbortError") return;
      // What the server cannot do now it cannot do a moment later either.
      this.troubles.note(EVERYTHING, error, PAUSE);
      this.look();
    } finally {
      this.isFilling = false;
    }
  }

  /** Says whether it loaded something. */
  async fetchAround(time) {
    const ahead = Math.min(8 + 6 * (this.rate ?? 1), 60);
    if (!this.isKnown(time) || (this.to - time < ahead && this.isStale())) await this.fetchPlaylist(time);
    // While the others go on without it, what comes too late is left out.
    const isLeft = this.isRunning && !this.isReady && this.source;
    const first = time + (isLeft ? Math.min(this.loadTime * this.rate, ahead / 2) : 0);
    const wanted = this.chunks.filter(chunk => !chunk.isGap && chunk.end > first && chunk.start < time + ahead && !this.isLeftOut(chunk));
    const missing = this.missing(wanted);
    if (missing.length) await this.load(missing);
    else this.source?.trim(time, KEPT_BEHIND, 180);
    return missing.length > 0;
  }

  /** What cannot be shown, or not by the source of now. */
  isLeftOut(chunk) {
    return this.others.has(chunk.init.key) || this.troubles.at(chunk) !== null
      || Boolean(this.source?.buffers.sound && this.silence && this.target < this.silence.from && chunk.start >= this.silence.from);
  }

  /** The first of what is wanted and not there, as requests. */
  missing(wanted) {
    const found = [];
    // The first picture comes soonest alone.
    const most = this.source && this.source.bufferedEnd(this.target) > this.target ? AT_ONCE : 1;
    for (const chunk of wanted) {
      if (found.length === most) break;
      if (chunk.end > (found.at(-1)?.end ?? -1) && this.loadedBytes(chunk) < chunk.length) found.push(this.withFollowing(chunk, wanted));
    }
    return found;
  }

  /** The newest part of a playlist grows; the rest is as it was. */
  isStale() { return performance.now() - this.fetchedAt > 1000; }

  async fetchPlaylist(time) {
    const from = this.isKnown(time) ? Math.max(this.from, Math.floor(time) - WINDOW) : Math.floor(time) - 10;
    const to = Math.floor(time) + WINDOW;
    this.isFetching = !this.isKnown(time);
    const url = server.playlist(this.camera.asset ?? this.camera.name, from, to);
    this.fetchedAt = performance.now();
    try {
      const response = await server.get(url, { signal: this.signal });
      this.chunks = parsePlaylist(await response.text(), response.url);
    } catch (error) {
      if (error.status !== 404 && error.code !== "outsideWindow") throw error;
      this.chunks = [];
    } finally {
      this.isFetching = false;
    }
    // Beyond now nothing is known, and what is there a moment later must be asked for again.
    [this.from, this.to] = [from, Math.min(to, Math.max(Date.now() / 1000 - 1, time + 0.5))];
  }

  /** How many bytes of a chunk are in the player; a chunk at the end of the footage grows. */
  loadedBytes(chunk) {
    const loaded = this.loaded.get(chunk.key) ?? 0;
    if (!loaded || !this.source) return 0;
    // The browser drops what it has no room for. Borders are the playlist's word, and looked at from inside.
    const margin = Math.min(0.3, (chunk.end - chunk.start) / 2);
    const place = Math.max(chunk.start + margin, Math.min(this.target, chunk.end - margin));
    return loaded < chunk.length || this.source.bufferedEnd(place) > place ? loaded : 0;
  }

  /** One request for what lies together: fast playback would else wait for each answer. */
  withFollowing(first, wanted) {
    const most = first.start + Math.max(1, 3 * (this.rate ?? 1));
    let last = first;
    for (const chunk of wanted.slice(wanted.indexOf(first) + 1)) {
      if (chunk.url !== last.url || chunk.offset !== last.offset + last.length || chunk.end > most || this.loadedBytes(chunk)) break;
      last = chunk;
    }
    return { ...first, end: last.end, length: last.offset + last.length - first.offset };
  }

  /** Fetches all at once, and appends them one after another. */
  async load(chunks) {
    const began = performance.now();
    const bodies = chunks.map(chunk => {
      const already = this.loadedBytes(chunk);
      return this.bytes({ ...chunk, offset: chunk.offset + already, length: chunk.length - already });
    });
    // Nobody waits for the others when one fails.
    for (const body of bodies) body.catch(() => {});
    this.source ??= Object.assign(new Source(this.video), { hasSound: this.hasSound });
    const source = this.source;
    for (const [index, chunk] of chunks.entries()) {
      const init = this.init === chunk.init.key ? null : await this.bytes(chunk.init);
      const bytes = await bodies[index];
      // Another source is filled meanwhile, which fetches it itself.
      if (source !== this.source) return;
      try {
        await this.append(chunk, init, bytes, source);
      } catch (error) {
        this.refuse(chunk, error, source);
        return;
      }
      if (source.buffers.sound && !await this.loadSound(chunk, source)) return;
      this.note(chunk, source);
      if (index === 0) this.loadTime = (performance.now() - began) / 1000;
    }
  }

  /** A chunk, or some that lie together, behind the init part if it has another than the one before. */
  async append(chunk, init, bytes, source) {
    if (init) {
      const all = await source.begin(init, { withTranscoded: source.hasSound });
      this.track = all.find(track => track.kind === "video");
      if (source === this.source) this.init = chunk.init.key;
    }
    this.learn(chunk, bytes);
    await source.append("media", bytes);
  }

  note(chunk, source) {
    if (source !== this.source) return;
    for (const part of this.chunks)
      if (part.url === chunk.url && part.offset >= chunk.offset && part.offset + part.length <= chunk.offset + chunk.length)
        this.loaded.set(part.key, part.length);
    this.look();
  }

  /** The browser does not take a chunk: what it costs is its moments, and a source that can go on no more. */
  refuse(chunk, error, source) {
    if (source !== this.source || this.isClosed) return;
    if (error instanceof OtherTracks) this.others.add(chunk.init.key);
    else if (error.track) this.troubles.note(chunk.init.key, error, CODEC_RETRY);
    else {
      // A decoder may fail at what is shown long after it was taken.
      const culprit = this.video.error && this.chunkAt(this.video.currentTime) || chunk;
      this.troubles.note(culprit?.key ?? EVERYTHING, error, culprit ? DECODER_RETRY : PAUSE);
      this.restart();
    }
    this.look();
  }

  /**
   * G.711 is no browser's: the server transcodes it, a chunk and the fragment before it at a time. Says whether it is
   * there: where it cannot be made the picture goes on without it.
   */
  async loadSound(chunk, source) {
    try {
      const response = await server.get(server.sound(chunk), { signal: this.signal });
      await source.append("sound", new Uint8Array(await response.arrayBuffer()));
      return true;
    } catch (error) {
      if (this.isClosed || source !== this.source) return false;
      this.silence = { from: chunk.start, to: chunk.start + WITHOUT_SOUND };
      // The decoder's failure is the sound's, not the picture's; what is shown now goes on without, in a hidden tab too.
      if (this.video.error || this.target >= chunk.start) this.restart();
      this.notice(`${this.camera.name} goes on without sound: ${error.message}`);
      return false;
    }
  }

  async bytes({ url, offset, length }) {
    const headers = Number.isFinite(length) ? { Range: `bytes=${offset}-${offset + length - 1}` } : {};
    const response = await server.get(url, { headers, signal: this.signal });
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Ends a request with the player, or when it stays without an answer. */
  get signal() { return AbortSignal.any([this.abort.signal, AbortSignal.timeout(SILENCE)]); }

  /** When the frames of a chunk are shown; of those far away it is forgotten. */
  learn(chunk, bytes) {
    if (!this.track) return;
    const near = this.frames.filter(time => Math.abs(time - this.target) < 300 && (time < chunk.start - 1 || time > chunk.end + 1));
    this.frames = [...new Set([...near, ...this.frames.filter(time => time >= chunk.start - 1 && time <= chunk.end + 1),
      ...frameTimes(bytes, this.track)])].sort((a, b) => a - b);
  }

  hear(isHeard) {
    this.video.muted = !isHeard;
    this.withSound ||= isHeard;
  }

  /** Whether transcoded sound is taken along. */
  get hasSound() {
    const isSilent = this.silence && this.silence.from <= this.target && this.target < this.silence.to;
    return this.withSound && (this.rate ?? 1) <= FASTEST_HEARD && !isSilent;
  }

  /** A source for other tracks, or in place of one that failed: what was buffered is fetched again. */
  restart() {
    this.source?.close();
    Object.assign(this, { source: null, init: null });
    this.loaded.clear();
    this.others.clear();
  }

  close() {
    this.isClosed = true;
    this.abort.abort();
    this.video.removeEventListener("seeked", this.onSeeked);
    this.source?.close();
  }
}
