// What is under the pointer on the time line: the moment, what there is of it, and its picture.

import * as server from "./server.js";
import * as times from "./times.js";

/** A picture is asked for when the pointer rests so long, in milliseconds. */
const REST = 70;
/** What a key led to stays so long, in milliseconds. */
const GLANCE = 1500;

const $ = id => document.getElementById(id);

export class Peek {
  constructor(page) {
    this.page = page;
    this.picture = $("peek-picture");
    this.picture.addEventListener("error", () => this.picture.removeAttribute("src"));
  }

  /** Shows a moment of a camera for a while, where it is on the time line: for those who have no pointer. */
  glance(time, camera) {
    const { start, span, area } = this.page.line;
    this.show(time, camera, area.left + (time - start) / span * area.width);
    this.ending = setTimeout(() => this.show(null), GLANCE);
  }

  /** Shows a moment of a camera beside the pointer; null ends it. */
  show(time, camera, x) {
    clearTimeout(this.timer);
    clearTimeout(this.ending);
    $("peek").hidden = time === null || time === undefined || !camera;
    if ($("peek").hidden) return;
    const span = this.page.line.spanAt(camera, time);
    const what = !span ? "" : span.kind === "recorded" ? span.state ?? "" : `${span.kind}: ${span.reason ?? "unknown"}`;
    $("peek-text").textContent = `${camera.name}  ${times.full(time, this.page.utc)}${what ? "  " + what : ""}`;
    const box = $("time").getBoundingClientRect();
    const left = Math.max(0, Math.min(box.width - 240, x - box.left - 120));
    $("peek").style.transform = `translateX(${left}px)`;
    if (span && span.kind !== "recorded") this.picture.removeAttribute("src");
    else this.timer = setTimeout(() => this.load(camera, time), REST);
  }

  /** On a grid of the time line's own resolution: a hand that trembles asks for one picture. */
  load(camera, time) {
    const step = Math.max(1, this.page.line.span / 800);
    const url = server.still(camera.name, Math.floor(time / step) * step, 320);
    if (this.picture.src !== url) this.picture.src = url;
  }
}
