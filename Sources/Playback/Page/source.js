// One camera's media in one <video>: a MediaSource whose time is UTC seconds, filled one piece after another.

import { hideTracks, tracks } from "./mp4.js";

const once = (target, name) => new Promise(resolve => target.addEventListener(name, resolve, { once: true }));

/** What the server makes of G.711. */
const SOUND = 'audio/mp4; codecs="mp4a.40.2"';

/** What this browser cannot play, in words for the viewer. */
export class Unplayable extends Error {
  constructor(track) {
    super(`This browser does not play ${track.name} video.`);
    this.track = track;
  }
}

/** Tracks that a source which began with others cannot take (Media Source Extensions, initialization segment received). */
export class OtherTracks extends Error {
  constructor() { super("The tracks of this camera changed."); }
}

export const undecodable = video => new Error(`This browser cannot decode this footage. ${video.error?.message ?? ""}`.trim());

export class Source {
  constructor(video) {
    this.video = video;
    this.media = new MediaSource();
    this.buffers = {};
    this.video.src = URL.createObjectURL(this.media);
    // The address is only a handle: released at once, the element keeps what it has.
    this.opened = once(this.media, "sourceopen").then(() => {
      URL.revokeObjectURL(this.video.src);
      this.media.duration = 2 ** 32;
    });
    this.turn = Promise.resolve();
    this.isClosed = false;
  }

  /**
   * Takes an init part: which tracks there are, and which are shown. `withTranscoded`: transcoded sound will follow.
   * `isMute`: sound is left out, whose times may lag behind the picture's. Throws Unplayable and OtherTracks; then the
   * source goes on with what it has.
   */
  async begin(init, { withTranscoded = false, isMute = false } = {}) {
    const all = tracks(init);
    const plays = track => track.kind !== "other" && !(isMute && track.kind === "audio") && MediaSource.isTypeSupported(`${track.kind}/mp4; codecs="${track.codec}"`);
    const video = all.find(track => track.kind === "video");
    if (video && !plays(video)) throw new Unplayable(video);
    const shown = all.filter(plays);
    const silent = all.find(track => track.name === "G.711" && !shown.includes(track));
    const layout = [...shown.map(track => track.kind).sort(), withTranscoded && silent ? "transcoded" : ""].join();
    if ((this.layout ??= layout) !== layout) throw new OtherTracks();
    this.kept = new Set(shown.map(track => track.id));
    this.silent = silent;
    const type = `video/mp4; codecs="${shown.map(track => track.codec).join(",")}"`;
    await this.opened;
    // A browser takes no further buffer once the first has begun.
    if (withTranscoded && this.silent && !this.buffers.media) {
      this.buffers.media = this.media.addSourceBuffer(type);
      this.buffers.sound = this.media.addSourceBuffer(SOUND);
    }
    await this.append("media", init, type, true);
    return all;
  }

  /** Appends bytes of fragments, or of an init part when `type` is given. */
  append(name, bytes, type, isInit = false) {
    const work = async () => {
      await this.opened;
      if (this.isClosed) return;
      const buffer = this.buffers[name] ??= this.media.addSourceBuffer(type);
      if (type && buffer.kind_ && buffer.kind_ !== type) buffer.changeType(type);
      if (type) buffer.kind_ = type;
      if (name === "media") hideTracks(bytes, this.kept);
      await this.settle(buffer, () => buffer.appendBuffer(bytes), isInit);
    };
    return this.turn = this.turn.catch(() => {}).then(work);
  }

  async settle(buffer, act) {
    while (!this.isClosed) {
      if (buffer.updating) await once(buffer, "updateend");
      try {
        act();
        const failed = await Promise.race([once(buffer, "updateend").then(() => false), once(buffer, "error").then(() => true)]);
        if (failed || this.video.error) throw undecodable(this.video);
        return;
      } catch (error) {
        if (error.name !== "QuotaExceededError") throw error;
        const at = this.video.currentTime;
        buffer.remove(0, Math.max(at - 4, 0.1));
        await once(buffer, "updateend");
        if (this.bufferedEnd(at) - at > 4) { buffer.remove(at + 4, Infinity); await once(buffer, "updateend"); }
      }
    }
  }

  /** Forgets what is far from `time`: behind it by `behind`, ahead by `ahead` seconds. */
  trim(time, behind, ahead) {
    for (const name of Object.keys(this.buffers)) {
      const work = async () => {
        const buffer = this.buffers[name];
        if (this.isClosed || !buffer?.buffered.length) return;
        const [first, last] = [buffer.buffered.start(0), buffer.buffered.end(buffer.buffered.length - 1)];
        if (first < time - behind - 5) await this.settle(buffer, () => buffer.remove(0, time - behind));
        if (last > time + ahead) await this.settle(buffer, () => buffer.remove(time + ahead, Infinity));
      };
      this.turn = this.turn.catch(() => {}).then(work);
    }
  }

  /** Where what is buffered around `time` ends; `time` itself when nothing is. */
  bufferedEnd(time) {
    const ranges = this.video.buffered;
    for (let index = 0; index < ranges.length; index++)
      if (ranges.start(index) <= time + 0.05 && time < ranges.end(index)) return ranges.end(index);
    return time;
  }

  close() {
    this.isClosed = true;
    this.video.removeAttribute("src");
    this.video.load();
  }
}
