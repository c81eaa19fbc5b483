// One camera in the grid: its picture, live or recorded, its name, and what there is to say about it.

import { LivePlayer } from "./live.js";
import { RecordedPlayer } from "./recorded.js";
import * as server from "./server.js";
import { length } from "./times.js";

/** Pictures of cameras that have no live stream here are renewed so often, in milliseconds. */
const STILL_PERIOD = 5000;

export class Tile {
  /** `choose` and `enlarge` are called when the viewer wants that; `range` gives the clip for a download. */
  constructor(camera, { choose, enlarge, range }) {
    Object.assign(this, { camera, range, mode: null, state: "waiting" });
    this.element = document.createElement("article");
    this.element.className = "tile";
    this.element.dataset.camera = camera.name;
    this.element.setAttribute("aria-label", camera.name);
    this.name = Object.assign(document.createElement("button"), { className: "name", type: "button" });
    this.name.append(Object.assign(document.createElement("i"), { className: "dot" }), camera.name);
    this.name.title = `Show ${camera.name} alone, or all`;
    this.message = Object.assign(document.createElement("p"), { className: "message" });
    this.message.setAttribute("role", "status");
    this.element.append(this.message, this.name);
    this.element.addEventListener("click", event => { if (event.target !== this.name && !this.name.contains(event.target)) choose(); });
    this.element.addEventListener("dblclick", enlarge);
    this.name.addEventListener("click", () => { choose(); enlarge(); });
  }

  /** `live`, `still` or `recorded`. */
  use(mode) {
    if (this.mode === mode) return;
    this.leave();
    this.mode = mode;
    this.element.classList.toggle("is-live", mode !== "recorded");
    if (mode === "still") { this.showStills(); return; }
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, disableRemotePlayback: true });
    this.video.setAttribute("aria-label", `Picture of ${this.camera.name}`);
    this.element.prepend(this.video);
    const report = (state, detail) => this.say(state, detail);
    this.player = mode === "live" ? new LivePlayer(this.video, this.camera, report) : new RecordedPlayer(this.video, this.camera, report);
  }

  showStills() {
    const image = Object.assign(document.createElement("img"), { className: "still", alt: `Picture of ${this.camera.name}, renewed every few seconds` });
    this.element.prepend(image);
    this.still = image;
    const renew = () => { if (!document.hidden) image.src = server.still(this.camera.name, Math.floor(Date.now() / 1000) - 3, 640); };
    image.onerror = () => this.say("failed", new Error("no picture"));
    image.onload = () => this.say("playing");
    renew();
    this.timer = setInterval(renew, STILL_PERIOD);
  }

  say(state, detail) {
    this.state = state;
    this.nextTime = state === "gap" ? detail : undefined;
    const text = state === "gap" ? this.gapText() : state === "failed" ? this.failure(detail) : "";
    const key = typeof text === "string" ? text : text.textContent;
    if (key !== this.shownText) { this.shownText = key; this.message.replaceChildren(text); }
    this.element.dataset.state = state;
  }

  /** Set by whoever knows the coverage: the span at the moment that is shown. */
  set span(span) { this.span_ = span; if (this.state === "gap") this.say("gap", this.nextTime); }

  gapText() {
    const span = this.span_;
    if (!span || span.kind === "recorded") return "Nothing recorded here";
    const reason = (span.reason ?? "unknown").replace(/([A-Z])/g, " $1").toLowerCase();
    return `${span.kind === "evicted" ? "Evicted" : "Gap"}: ${reason}, ${length(span.to - span.from)}`;
  }

  failure(error) {
    const text = document.createElement("span");
    text.append(`${error.message} ${error.nextStep ?? ""}`.trim());
    if (error.track) {
      const [from, to] = this.range();
      const link = Object.assign(document.createElement("a"), {
        href: server.range(this.camera.name, from, to, true), download: "", textContent: "Download this footage" });
      text.append(` It is recorded all the same, and a player such as VLC or mpv shows it. `, link);
    }
    return text;
  }

  leave() {
    clearInterval(this.timer);
    this.player?.close();
    this.video?.remove();
    this.still?.remove();
    Object.assign(this, { player: null, video: null, still: null, mode: null });
    this.say("waiting");
  }
}
