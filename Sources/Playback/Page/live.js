// Live view of one camera: the growing segment, a fragment at a time, as close to now as its fragments allow.

import { frameTimes, sound, startsWithKey } from "./mp4.js";
import { Source } from "./source.js";
import { Speaker } from "./speaker.js";

const RETRY = 2000;
/** What a viewer keeps behind the newest picture beside the length of a fragment, in seconds. */
const MARGIN = 0.15;
/** So far behind the newest picture it jumps, in seconds, or, of long fragments, so far behind its place. */
const LATE = 2, LATE_IN_PLACE = 0.6;
/** Less it makes up by its speed: a jump costs a busy browser more time than it gains. */
const SLOWEST = 0.95, FASTEST = 1.5;
/** Fragments that may wait for a busy browser; beyond, it goes on with the newest that starts with a key. */
const MOST_WAITING = 2;
/** A browser that is so far behind is so for good, and begins anew. */
const TOO_MANY = 20;

export class LivePlayer {
  /** `report(state, detail)` is told `playing`, `waiting`, `away` or `failed`. */
  constructor(video, camera, streams, report) {
    Object.assign(this, { video, camera, streams, report, interval: 1, waiting: [], newest: -Infinity, turn: Promise.resolve() });
    report("waiting");
    streams.watch(camera.name, this);
  }

  // What the stream tells

  begin(init) {
    if (this.init && same(this.init, init)) return;
    this.init = init;
    this.inTurn(async () => {
      this.source ??= new Source(this.video);
      const all = await this.source.begin(init.slice(), { isMute: this.video.muted });
      this.track = all.find(track => track.kind === "video");
      this.soundTrack = all.find(track => track.name === "G.711");
    });
  }

  fragment(bytes) {
    // Until it begins there is nothing to go on from.
    if (!this.init) return;
    if (this.waiting.length > TOO_MANY) { this.fail(new Error("This browser does not keep up.")); return; }
    this.waiting.push(bytes);
    this.inTurn(async () => {
      const key = this.track && this.waiting.length > MOST_WAITING ? this.waiting.findLastIndex(later => startsWithKey(later, this.track)) : 0;
      if (key > 0) this.waiting.splice(0, key);
      const next = this.waiting.shift();
      if (next) await this.append(next);
    });
  }

  end(code) { this.report("away", code); }

  lost(error) { this.report("failed", error); }

  /** One after the other; the first that fails ends what waits behind it. */
  inTurn(work) {
    const round = this.round;
    this.turn = this.turn.then(async () => {
      if (this.isClosed || round !== this.round) return;
      try { await work(); } catch (error) { this.fail(error); }
    });
  }

  fail(error) {
    if (this.isClosed) return;
    this.forget();
    this.report("failed", error);
    // What it cannot play now it cannot play later.
    if (error.track) this.streams.leave(this.camera.name, this); else this.streams.renew(RETRY);
  }

  forget() {
    this.round = {};
    this.source?.close();
    Object.assign(this, { source: null, init: null, waiting: [], newest: -Infinity });
  }

  async append(bytes) {
    const last = this.track ? frameTimes(bytes, this.track).at(-1) ?? Infinity : Infinity;
    // A stream that was asked for anew begins with what is known.
    if (last !== Infinity && last <= this.newest + 0.001) return;
    this.newest = last;
    if (this.soundTrack && !this.video.muted)
      (this.speaker ??= new Speaker(this.video)).play(sound(bytes, this.soundTrack), this.soundTrack);
    const before = this.bufferedEnd;
    await this.source.append("media", bytes);
    const after = this.bufferedEnd;
    if (before !== null && after > before && after - before < 5) this.interval = after - before;
    this.follow(after);
    this.source.trim(this.video.currentTime, 15, 60);
  }

  get bufferedEnd() {
    const ranges = this.video.buffered;
    return ranges.length ? ranges.end(ranges.length - 1) : null;
  }

  /** Right after a fragment came, its length and the margin are what is ahead: less stalls, more is late. */
  follow(end) {
    if (end === null) return;
    const wanted = this.interval + MARGIN;
    const ahead = end - this.video.currentTime;
    if (this.video.paused || ahead > Math.max(LATE, wanted + LATE_IN_PLACE) || ahead < 0) {
      const start = this.video.buffered.start(this.video.buffered.length - 1);
      this.video.currentTime = Math.max(start, end - wanted);
      this.video.play().then(() => this.report("playing"), () => {});
      this.video.playbackRate = 1;
    } else {
      const off = ahead - wanted;
      this.video.playbackRate = Math.abs(off) < 0.03 ? 1 : Math.max(SLOWEST, Math.min(FASTEST, 1 + off / 2));
      this.report("playing");
    }
  }

  /** The moment that is shown, in UTC seconds. */
  get time() { return this.video.currentTime > 1e8 ? this.video.currentTime : Date.now() / 1000; }

  /** The browser plays sound that it decodes with the picture, from a new beginning; G.711 it does not. */
  hear(isHeard) {
    const was = !this.video.muted;
    this.video.muted = !isHeard;
    if (!isHeard) { this.speaker?.close(); this.speaker = null; }
    if (isHeard === was || !this.source || this.soundTrack) return;
    this.forget();
    this.streams.renew();
  }

  close() {
    this.isClosed = true;
    this.streams.leave(this.camera.name, this);
    this.speaker?.close();
    this.source?.close();
  }
}

const same = (one, other) => one.length === other.length && one.every((byte, index) => byte === other[index]);
