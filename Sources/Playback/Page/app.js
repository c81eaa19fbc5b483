// The page: which cameras are shown, what moment, and what the viewer does about it.

import { Clock } from "./clock.js";
import { ExportDialog } from "./exporting.js";
import { bindKeys } from "./keys.js";
import { Peek } from "./peek.js";
import { findBehindGap, findRecorded } from "./search.js";
import * as server from "./server.js";
import { LiveStreams } from "./streams.js";
import { Tile } from "./tile.js";
import { TimeLine } from "./timeline.js";
import * as times from "./times.js";

/** Shown at first, and in the grid at most: so many come live in one answer. */
const FIRST_SHOWN = 4, MOST_SHOWN = 64;
const RATES = [0.5, 1, 2, 4, 8, 16];
/** Footage of the last seconds is still on its way; who scrubs up to here wants to see it live. */
const LIVE_EDGE = 2;
/** Whoever plays behind all footage, but so near to now, in seconds, is on his way to what is live. */
const NEAR = 60;

const $ = id => document.getElementById(id);

class Page {
  constructor(cameras) {
    this.cameras = cameras;
    this.clock = new Clock();
    this.isLive = true;
    this.utc = (localStorage.getItem("cvr-zone") ?? "utc") === "utc";
    this.clip = [null, null];
    this.streams = new LiveStreams();
    this.tiles = new Map(cameras.map(camera => [camera, this.tile(camera)]));
    this.line = new TimeLine($("time"), $("rows"), $("ruler"), cameras, {
      seek: time => this.seek(time), toggle: camera => this.toggle(camera), change: () => this.lineChanged(),
      peek: (time, camera, x) => this.peek.show(time, camera ?? this.chosen, x), trouble: error => this.notice(error.message),
    });
    this.peek = new Peek(this);
    this.exports = new ExportDialog(cameras, this);
    this.readAddress();
    this.bind();
    bindKeys(this);
    this.setZone(this.utc);
    this.layout();
    this.line.refresh();
    setInterval(() => { if (!document.hidden) this.line.refresh(); }, 2000);
    const frame = () => { this.tick(); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  }

  tile(camera) {
    return new Tile(camera, this.streams, {
      choose: () => this.choose(camera), enlarge: () => this.enlarge(), range: () => [this.clock.time - 30, this.clock.time + 30],
      notice: text => this.notice(text) });
  }

  /** `#cameras=front,yard&time=2026-11-26T10:00:00Z`: what cvrctl play opens, and what a viewer may send on. */
  readAddress() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const names = (wanted.get("cameras") ?? "").split(",");
    const shown = this.cameras.filter(camera => names.includes(camera.name));
    this.shown = (shown.length ? shown : this.cameras.slice(0, FIRST_SHOWN)).slice(0, MOST_SHOWN);
    this.chosen = this.shown[0];
    const time = times.parse(wanted.get("time") ?? "");
    if (Number.isFinite(time)) { this.line.zoom(this.line.span, time, 0.5); this.seek(time); }
  }

  writeAddress() {
    const hash = new URLSearchParams({ cameras: this.shown.map(camera => camera.name).join(",") });
    if (!this.isLive) hash.set("time", times.iso(this.clock.time));
    history.replaceState(null, "", "#" + hash);
  }

  // What is shown

  get visible() { return this.alone ? [this.chosen] : this.shown; }

  /** Puts the tiles into the grid that are to be seen, and gives each what it shows. */
  layout() {
    const grid = $("grid"), visible = this.visible;
    const columns = Math.ceil(Math.sqrt(visible.length * (innerWidth > innerHeight ? 1 : 0.5)));
    grid.style.setProperty("--columns", Math.max(1, columns));
    for (const [camera, tile] of this.tiles) {
      if (visible.includes(camera)) continue;
      tile.leave();
      tile.element.remove();
    }
    visible.forEach((camera, index) => {
      const tile = this.tiles.get(camera);
      if (grid.children[index] !== tile.element) grid.insertBefore(tile.element, grid.children[index] ?? null);
      tile.element.classList.toggle("chosen", camera === this.chosen);
    });
    for (const tile of this.players) tile.use(this.isLive ? "live" : "recorded");
    this.line.mark(this.shown, this.chosen);
    this.hear();
    this.buttons();
  }

  choose(camera) {
    if (!this.shown.includes(camera)) this.toggle(camera);
    if (this.chosen === camera || !this.shown.includes(camera)) return;
    this.chosen = camera;
    this.layout();
  }

  toggle(camera) {
    const isShown = this.shown.includes(camera);
    if (isShown && this.shown.length === 1) return;
    if (!isShown && this.shown.length >= MOST_SHOWN) { this.notice(`No more than ${MOST_SHOWN} cameras are shown at a time: hide another one first.`); return; }
    this.shown = isShown ? this.shown.filter(other => other !== camera)
      : this.cameras.filter(other => other === camera || this.shown.includes(other));
    if (!this.shown.includes(this.chosen)) this.chosen = this.shown[0];
    this.layout();
    this.writeAddress();
  }

  enlarge() { this.alone = !this.alone; this.layout(); }

  // Time

  get players() { return this.visible.map(camera => this.tiles.get(camera)); }
  get time() { return this.isLive ? this.tiles.get(this.chosen).player?.time ?? Date.now() / 1000 : this.clock.time; }

  seek(time) {
    const now = Date.now() / 1000;
    if (time > now - LIVE_EDGE) { this.goLive(); return; }
    const wasLive = this.isLive;
    this.isLive = false;
    this.clock.time = time;
    if (wasLive) { this.clock.change({ isPlaying: true, rate: 1 }); $("rate").value = "1"; }
    if (wasLive) this.layout();
    this.line.reveal(time);
    this.buttons();
    this.writeAddress();
  }

  goLive() {
    if (this.isLive) return;
    this.isLive = true;
    this.clock.change({ isPlaying: false, rate: 1 });
    this.layout();
    this.line.reveal(Date.now() / 1000);
    this.writeAddress();
  }

  play(isPlaying = this.isLive ? false : !this.clock.isPlaying) {
    if (this.isLive) this.seek(Date.now() / 1000 - LIVE_EDGE - 1);
    this.clock.change({ isPlaying });
    this.buttons();
    this.writeAddress();
  }

  skip(seconds) { this.seek(this.time + seconds); }

  /** The chosen camera's frames are the steps. */
  step(count) {
    if (this.isLive) this.play(false);
    const player = this.tiles.get(this.chosen).player;
    const time = player.step(this.clock.time, count);
    this.clock.change({ isPlaying: false });
    this.clock.time = time;
    this.buttons();
  }

  setRate(rate) {
    if (this.isLive) return;
    this.clock.change({ rate });
    $("rate").value = String(rate);
  }

  faster(steps) {
    const index = RATES.indexOf(this.clock.rate) + steps;
    if (RATES[index]) this.setRate(RATES[index]);
  }

  /** To where the chosen camera records again: behind the gap that is shown, or behind the next one. */
  async skipGap() {
    // Behind now there is nothing.
    if (this.isLive) return;
    const camera = this.chosen, time = this.clock.time;
    try {
      const next = await findBehindGap(camera, time);
      if (this.isLive || this.chosen !== camera || Math.abs(this.clock.time - time) > 10 * this.clock.rate) return;
      if (next) this.seek(next + 0.05); else this.notice(`${camera.name} has no footage behind a later gap.`);
    } catch (error) {
      this.notice(error.message);
    }
  }

  /** The picture of where a key led. */
  glance() { if (!this.isLive) this.peek.glance(this.clock.time, this.chosen); }

  /** Once a frame of the screen: the clock, the pictures that follow it, and what stands beside them. */
  tick() {
    if (!this.isLive) this.tickRecorded();
    const time = this.time;
    const text = times.full(time, this.utc, 1);
    if ($("clock").textContent !== text) $("clock").textContent = text;
    const share = (time - this.line.start) / this.line.span;
    const [area, box] = [this.line.area, $("time").getBoundingClientRect()];
    $("head").style.transform = `translateX(${area.left - box.left + share * area.width}px)`;
    $("head").hidden = share < 0 || share > 1;
    if (this.isLive || this.clock.isPlaying) this.follow(share);
    if (text.slice(0, 19) !== this.spoken) { this.spoken = text.slice(0, 19); this.speak(time); }
  }

  tickRecorded() {
    const time = this.clock.time;
    if (time > Date.now() / 1000 - LIVE_EDGE + 0.5) { this.goLive(); return; }
    for (const camera of this.visible) {
      const tile = this.tiles.get(camera);
      tile.span = this.line.spanAt(camera, time);
      tile.player?.show(time, this.clock);
    }
    const players = this.players.map(tile => tile.player).filter(Boolean);
    this.clock.hold(this.players.some(tile => tile.state === "waiting"));
    // Where no camera has anything, nothing is waited for.
    if (this.clock.isPlaying && players.length && this.players.every(tile => tile.state === "gap")) {
      const known = this.players.map(tile => tile.nextTime).filter(Boolean);
      const next = known.length ? Math.min(...known) : this.line.nextRecorded(this.visible, time + 0.3);
      if (next && next > time) this.clock.time = next + 0.01; else if (!next && time < Date.now() / 1000 - NEAR) this.passGap(time);
    }
  }

  /** Goes on behind a gap that reaches out of the time that is shown, or stands where nothing follows. */
  async passGap(time) {
    if (this.isPassing) return;
    this.isPassing = true;
    try {
      const next = await findRecorded(this.visible, time);
      // The viewer may have gone elsewhere meanwhile.
      if (this.isLive || !this.clock.isPlaying || Math.abs(this.clock.time - time) > 10 * this.clock.rate) return;
      if (next) { this.seek(next + 0.01); return; }
      this.play(false);
      this.notice("Nothing was recorded after this.");
    } catch (error) {
      this.notice(error.message);
    } finally {
      setTimeout(() => { this.isPassing = false; }, 1000);
    }
  }

  /** While it plays, the time line goes along, but stays where the viewer moved it until the moment is in sight again. */
  follow(share) {
    const isMoved = this.line.start !== this.lineStart;
    this.lineStart = this.line.start;
    if (share >= 0 && share <= 1) this.isFollowing = true; else if (isMoved) this.isFollowing = false;
    if (share > 0.98 && this.isFollowing && !this.line.pointers.size) {
      this.line.zoom(this.line.span, this.time, this.isLive ? 0.9 : 0.1);
    }
  }

  speak(time) {
    const slider = $("ruler");
    const span = this.line.spanAt(this.chosen, time);
    const what = !span ? "" : span.kind === "recorded" ? ", recorded" : `, ${span.kind}: ${span.reason ?? "unknown"}`;
    slider.setAttribute("aria-valuemin", Math.round(this.line.start));
    slider.setAttribute("aria-valuemax", Math.round(this.line.end));
    slider.setAttribute("aria-valuenow", Math.round(time));
    slider.setAttribute("aria-valuetext", `${times.full(time, this.utc)}${this.isLive ? ", live" : ""}${what}`);
    const state = this.isLive ? "live" : this.clock.isHeld ? "loading" : this.clock.isPlaying ? `${this.clock.rate}×` : "paused";
    if ($("state").textContent !== state) $("state").textContent = state;
  }

  // Sound, zone, clip

  hear() {
    for (const [camera, tile] of this.tiles) {
      const isHeard = Boolean(this.withSound) && camera === this.chosen;
      if (tile.player?.hear) tile.player.hear(isHeard); else if (tile.video) tile.video.muted = !isHeard;
    }
  }

  toggleSound() {
    this.withSound = !this.withSound;
    $("sound").setAttribute("aria-pressed", this.withSound);
    $("sound").textContent = this.withSound ? "Sound on" : "Sound off";
    this.hear();
  }

  setZone(utc) {
    this.utc = this.line.utc = utc;
    localStorage.setItem("cvr-zone", utc ? "utc" : "local");
    $("zone").textContent = utc ? "UTC" : "Local";
    $("zone").setAttribute("aria-pressed", utc);
    this.line.draw();
  }

  markClip(end) {
    this.clip[end] = this.time;
    if (this.clip[0] !== null && this.clip[1] !== null && this.clip[0] > this.clip[1]) this.clip.reverse();
    this.line.clip = this.clip;
    this.line.draw();
  }

  openExport() {
    const [from, to] = this.clip;
    const time = this.time;
    this.exports.open(this.chosen, from ?? time - 30, to ?? Math.max(time, (from ?? time - 30) + 10));
  }

  // The controls

  buttons() {
    $("live").setAttribute("aria-pressed", this.isLive);
    const isPlaying = this.isLive || this.clock.isPlaying;
    $("play").textContent = isPlaying ? "❚❚" : "▶";
    $("play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    $("rate").disabled = this.isLive;
  }

  lineChanged() {
    const options = [...$("zoom").options].map(option => Number(option.value));
    const nearest = options.reduce((best, value) => Math.abs(Math.log(value / this.line.span)) < Math.abs(Math.log(best / this.line.span)) ? value : best);
    $("zoom").value = String(nearest);
  }

  zoom(factor) {
    const time = this.time;
    const inside = time > this.line.start && time < this.line.end;
    this.line.zoom(this.line.span * factor, inside ? time : undefined);
  }

  bind() {
    const on = (id, act, type = "click") => $(id).addEventListener(type, act);
    on("live", () => this.goLive());
    on("back", () => this.skip(-10));
    on("forward", () => this.skip(10));
    on("previous", () => this.step(-1));
    on("next", () => this.step(1));
    on("play", () => this.play());
    on("rate", () => this.setRate(Number($("rate").value)), "change");
    on("sound", () => this.toggleSound());
    on("zone", () => this.setZone(!this.utc));
    on("in", () => this.zoom(0.5));
    on("out", () => this.zoom(2));
    on("zoom", () => this.zoom(Number($("zoom").value) / this.line.span), "change");
    on("export", () => this.openExport());
    on("help", () => $("help-dialog").showModal());
    on("goto", () => {
      const time = times.fromField($("goto").value, this.utc);
      if (Number.isFinite(time)) { this.line.zoom(this.line.span, time, 0.5); this.seek(time); }
    }, "change");
    addEventListener("resize", () => this.layout());
    addEventListener("pagehide", () => { for (const tile of this.tiles.values()) tile.leave(); });
  }

  notice(text) {
    $("notice").textContent = text;
    $("notice").hidden = !text;
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => { $("notice").hidden = true; }, 6000);
  }
}

async function start() {
  try {
    const cameras = await server.cameras();
    if (!cameras.length) throw new Error("There are no cameras here yet.");
    // For whoever looks from the browser's console, and for the tests.
    window.cvr = new Page(cameras);
  } catch (error) {
    $("notice").textContent = `${error.message} ${error.nextStep ?? ""}`;
    $("notice").hidden = false;
    setTimeout(start, 5000);
  }
}

start();
