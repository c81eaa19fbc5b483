// One camera in the grid: its picture, live or recorded, its name, and what there is to say about it.

import { LivePlayer } from "./live.js";
import { RecordedPlayer } from "./recorded.js";
import * as server from "./server.js";
import { length } from "./times.js";

/** Why nothing comes of a camera, in words for the viewer. */
const AWAY = {
  notLive: "Nothing of it is being recorded now", unreadable: "Its newest footage cannot be read",
  outsideWindow: "What you may see of it is over", unauthorized: "Your token or signature holds no more",
  ending: "The server is being restarted", forbidden: "You may not see it", noSuchCamera: "There is no such camera any more",
};

export class Tile {
  /** `choose` and `enlarge` are called when the viewer wants that; `range` gives the clip for a download, `notice` takes words. */
  constructor(camera, streams, { choose, enlarge, range, notice }) {
    Object.assign(this, { camera, streams, range, notice, mode: null, state: "waiting" });
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

  /** `live` or `recorded`. */
  use(mode) {
    if (this.mode === mode) return;
    this.leave();
    this.mode = mode;
    this.element.classList.toggle("is-live", mode === "live");
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, disableRemotePlayback: true });
    this.video.setAttribute("aria-label", `Picture of ${this.camera.name}`);
    this.element.prepend(this.video);
    const report = (state, detail) => this.say(state, detail);
    this.player = mode === "live" ? new LivePlayer(this.video, this.camera, this.streams, report)
      : new RecordedPlayer(this.video, this.camera, report, this.notice);
  }

  say(state, detail) {
    if (state === "failed" && detail === this.failed) { this.aim(); return; }
    this.failed = state === "failed" ? detail : null;
    this.link = null;
    this.state = state;
    this.nextTime = state === "gap" ? detail : undefined;
    const text = state === "gap" ? this.gapText() : state === "failed" ? this.failure(detail)
      : state === "away" ? AWAY[detail] ?? "Nothing of it comes now" : "";
    const key = typeof text === "string" ? text : text.textContent;
    if (key !== this.shownText || this.link) { this.shownText = key; this.message.replaceChildren(text); }
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
      this.link = Object.assign(document.createElement("a"), { download: "", textContent: "Download this footage" });
      this.aim();
      text.append(` It is recorded all the same, and a player such as VLC or mpv shows it. `, this.link);
    }
    return text;
  }

  /** The link of a failure goes along with the moment. */
  aim() {
    const [from, to] = this.range();
    if (!this.link || this.link.href && Math.abs(from - this.aimed) < 1) return;
    this.aimed = from;
    this.link.href = server.range(this.camera.name, from, to, true);
  }

  leave() {
    this.player?.close();
    this.video?.remove();
    Object.assign(this, { player: null, video: null, mode: null });
    this.say("waiting");
  }
}
