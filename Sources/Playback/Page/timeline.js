// The time line: a ruler, and for each camera what there is of each second. Pointer, touch and wheel move and zoom it.

import { KnownTime } from "./known.js";
import * as server from "./server.js";
import * as times from "./times.js";

const SHORTEST = 10, LONGEST = 400 * 86400;
/** Gaps that an operator made. */
const PLANNED = new Set(["stopped", "upgrade"]);
/** What differs in more than its colour: width and direction of its strokes in a tile of 6 by 6 pixels. */
const STROKES = {
  pending: { width: 4, line: [3, 0, 3, 6] }, gap: { width: 3, line: [0, 6, 6, 0] }, planned: { width: 3, line: [0, 6, 6, 0] },
  unknown: { width: 1.5, line: [0, 6, 6, 0] }, evicted: { width: 1.5, line: [0, 0, 6, 6] },
};
/** Requests under way at a time: a browser has six connections, and pictures come first. */
const AT_ONCE = 2;
/** What the server refused is asked for again after so long, in milliseconds. */
const PAUSE = 15000;

export class TimeLine {
  /** `on` has seek(time), peek(time, camera, x) with null at the end, toggle(camera) and change(). */
  constructor(element, rows, ruler, cameras, on) {
    Object.assign(this, { element, ruler, cameras, on, span: 3600, utc: true });
    this.end = Date.now() / 1000 + 60;
    this.clip = [null, null];
    this.rows = cameras.map(camera => this.row(camera));
    this.known = new Map(cameras.map(camera => [camera, new KnownTime()]));
    rows.append(...this.rows.map(row => row.element));
    this.watch(rows);
    this.pointers = new Map();
    for (const type of ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave"])
      element.addEventListener(type, event => this[type](event));
    element.addEventListener("wheel", event => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.draw()).observe(element);
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => { this.colours_ = null; this.draw(); });
  }

  get start() { return this.end - this.span; }

  row(camera) {
    const element = Object.assign(document.createElement("div"), { className: "row" });
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: camera.name });
    button.title = `Show or hide ${camera.name}`;
    button.addEventListener("click", () => this.on.toggle(camera));
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    element.append(button, canvas);
    return { camera, element, button, canvas };
  }

  /** Rows that are scrolled out of sight cost neither requests nor drawing. */
  watch(rows) {
    const sight = new IntersectionObserver(entries => {
      for (const entry of entries) this.rows.find(row => row.element === entry.target).isSeen = entry.isIntersecting;
      this.moved();
    }, { root: rows });
    for (const row of this.rows) sight.observe(row.element);
  }

  mark(shown, chosen) {
    this.shown = shown;
    for (const { camera, element, button } of this.rows) {
      button.setAttribute("aria-pressed", shown.includes(camera));
      element.classList.toggle("chosen", camera === chosen);
    }
  }

  /** Shows so many seconds around a place that stays where it is, `at` its share of the width. */
  zoom(span, time = this.start + this.span / 2, at = (time - this.start) / this.span) {
    this.span = Math.min(LONGEST, Math.max(SHORTEST, span));
    this.end = time + this.span * (1 - at);
    this.moved();
  }

  /** Scrolls just as far as is needed to see a time. */
  reveal(time) {
    if (time >= this.start && time <= this.end) return;
    this.end = time + this.span * (time < this.start ? 0.9 : 0.1);
    this.moved();
  }

  moved() {
    this.end = Math.min(this.end, Date.now() / 1000 + this.span * 0.5);
    this.draw();
    this.on.change();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), 120);
  }

  /** Asks for what is not known of the visible time, and again for what changes: of cameras that are looked at. */
  async refresh() {
    // Whoever waits is asked for what is visible by then.
    this.waiting = this.rows.filter(row => row.isSeen || this.shown?.includes(row.camera)).map(row => row.camera);
    if (this.isAsking) return;
    this.isAsking = true;
    const lane = async () => { for (let camera; (camera = this.waiting.shift());) await this.ask(camera); };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    this.isAsking = false;
    this.on.change();
  }

  async ask(camera) {
    const known = this.known.get(camera);
    const missing = known.missing(this.start, this.end, Date.now() / 1000);
    if (!missing || known.isAsked) return;
    known.isAsked = true;
    try {
      known.take(missing, await server.coverage(camera.name, missing.from, missing.to));
      this.draw();
    } catch (error) {
      this.on.trouble(error);
      setTimeout(() => { known.isAsked = false; }, PAUSE);
      return;
    }
    known.isAsked = false;
  }

  /** What there is of a camera at a time, as far as it is known. */
  spanAt(camera, time) { return this.known.get(camera).spanAt(time); }

  /** Start of the first recorded second at or after `time` of any of the cameras. */
  nextRecorded(cameras, time) {
    const starts = cameras.map(camera => this.known.get(camera).nextRecorded(time)).filter(start => start !== undefined);
    return starts.length ? Math.min(...starts) : null;
  }

  // Drawing

  get colours() {
    const style = getComputedStyle(document.documentElement);
    return this.colours_ ??= Object.fromEntries(
      ["verified", "pending", "recording", "gap", "planned", "evicted", "text", "quiet", "line", "accent"].map(name => [name, style.getPropertyValue("--" + name).trim()]));
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.drawRuler();
      for (const row of this.rows) if (row.isSeen) this.drawRow(row);
    });
  }

  surface(canvas) {
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, width, height };
  }

  drawRuler() {
    const { context, width, height } = this.surface(this.ruler);
    const { step, marks } = times.marks(this.start, this.end, Math.max(2, width / 84), this.utc);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    for (const mark of marks) {
      const x = (mark - this.start) / this.span * width;
      context.fillStyle = this.colours.line;
      context.fillRect(Math.round(x), height - 6, 1, 6);
      context.fillStyle = this.colours.quiet;
      context.fillText(times.markLabel(mark, step, this.utc), Math.max(18, Math.min(width - 18, x)), height - 9);
    }
  }

  drawRow({ camera, canvas }) {
    const { context, width, height } = this.surface(canvas);
    const x = time => (time - this.start) / this.span * width;
    let recorded = 0;
    for (const span of this.known.get(camera).spans) {
      if (span.to < this.start || span.from > this.end) continue;
      const [left, right] = [Math.max(0, x(span.from)), Math.min(width, x(span.to))];
      if (span.kind === "recorded") recorded += Math.min(span.to, this.end) - Math.max(span.from, this.start);
      // A gap is never too short to be seen.
      this.drawSpan(context, span, left, Math.max(right - left, span.kind === "recorded" ? 0.5 : 1.5), height);
    }
    this.drawClip(context, x, height);
    const share = Math.round(100 * recorded / Math.max(1, Math.min(this.end, Date.now() / 1000) - this.start));
    canvas.setAttribute("aria-label", `${camera.name}: ${Math.min(100, Math.max(0, share))} % recorded in the time shown`);
  }

  drawSpan(context, span, left, width, height) {
    const kind = this.kind(span), colour = this.colours[kind];
    const strokes = STROKES[kind === "gap" && span.reason === "unknown" ? "unknown" : kind];
    context.fillStyle = strokes ? this.hatch(context, colour, strokes) : colour;
    const inset = span.kind === "recorded" ? 2 : 5;
    context.fillRect(left, inset, width, height - 2 * inset);
  }

  kind(span) {
    if (span.kind === "evicted") return "evicted";
    if (span.kind === "gap") return PLANNED.has(span.reason) ? "planned" : "gap";
    return span.state === "recording" ? "recording" : span.state === "verified" || span.state === "uploaded" ? "verified" : "pending";
  }

  hatch(context, colour, { width, line: [fromX, fromY, toX, toY] }) {
    this.patterns ??= new Map();
    const key = [colour, width, fromX, fromY].join();
    if (!this.patterns.has(key)) {
      const tile = new OffscreenCanvas(6, 6), pen = tile.getContext("2d");
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      for (const shift of [-6, 0, 6]) { pen.beginPath(); pen.moveTo(shift + fromX, fromY); pen.lineTo(shift + toX, toY); pen.stroke(); }
      this.patterns.set(key, context.createPattern(tile, "repeat"));
    }
    return this.patterns.get(key);
  }

  drawClip(context, x, height) {
    const [from, to] = this.clip;
    if (from === null && to === null) return;
    context.fillStyle = this.colours.accent;
    if (from !== null) context.fillRect(x(from), 0, 2, height);
    if (to !== null) context.fillRect(x(to) - 2, 0, 2, height);
    if (from === null || to === null) return;
    context.globalAlpha = 0.25;
    context.fillRect(x(from), 0, x(to) - x(from), height);
    context.globalAlpha = 1;
  }

  // Pointer, touch and wheel

  /** The rectangle that times are laid over. */
  get area() { return this.ruler.getBoundingClientRect(); }
  timeAt(clientX) { const area = this.area; return this.start + (clientX - area.left) / Math.max(1, area.width) * this.span; }
  cameraAt(target) { return this.rows.find(row => row.canvas === target)?.camera; }
  /** Not beside the times: names are there, and the rows' scroll bar. */
  isInside({ target, clientX }) { const area = this.area; return !target.closest("button") && clientX >= area.left && clientX <= area.right; }

  /** A drag moves the times; on the ruler it goes through them, with their pictures, and at its end there. */
  pointerdown(event) {
    if (!this.isInside(event)) return;
    this.pointers.set(event.pointerId, event);
    this.element.setPointerCapture(event.pointerId);
    this.drag = { x: event.clientX, end: this.end, moved: false, isScrub: event.target === this.ruler && this.pointers.size === 1 };
    this.pinch = null;
    this.peekAt(this.drag.isScrub ? event : null);
  }

  peekAt(event) { this.on.peek(event && this.timeAt(event.clientX), event && this.cameraAt(event.target), event?.clientX); }

  pointermove(event) {
    if (!this.pointers.has(event.pointerId)) {
      this.peekAt(this.isInside(event) ? event : null);
      return;
    }
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 2) { this.pinchTo([...this.pointers.values()]); return; }
    const moved = event.clientX - this.drag.x;
    if (Math.abs(moved) > 4) this.drag.moved = true;
    if (this.drag.isScrub) { this.peekAt(event); return; }
    if (!this.drag.moved) return;
    this.end = this.drag.end - moved / this.area.width * this.span;
    this.moved();
  }

  pinchTo([first, second]) {
    const distance = Math.max(20, Math.abs(first.clientX - second.clientX));
    const middle = (first.clientX + second.clientX) / 2;
    this.drag.moved = true;
    this.pinch ??= { distance, span: this.span, time: this.timeAt(middle) };
    this.zoom(this.pinch.span * this.pinch.distance / distance, this.pinch.time, (middle - this.area.left) / this.area.width);
  }

  pointerup(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    this.peekAt(null);
    if (!this.drag.moved || this.drag.isScrub) this.on.seek(this.timeAt(event.clientX));
    else if (this.pointers.size) Object.assign(this.drag, { x: [...this.pointers.values()][0].clientX, end: this.end });
  }

  pointercancel(event) { this.pointers.delete(event.pointerId); this.peekAt(null); }
  pointerleave() { this.peekAt(null); }

  wheel(event) {
    if (!this.isInside(event)) return;
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.end += (event.deltaX || event.deltaY) / this.area.width * this.span;
      this.moved();
    } else {
      const time = this.timeAt(event.clientX);
      this.zoom(this.span * Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300))), time);
    }
  }
}
