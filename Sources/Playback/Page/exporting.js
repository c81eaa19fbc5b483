// Saving a clip: the browser takes the bytes while the page counts them, and goes on where a connection broke.

import * as server from "./server.js";
import * as times from "./times.js";

/** What is larger goes straight to the browser's own downloads, which need no memory. */
const LARGEST_IN_MEMORY = 256 << 20;
const ATTEMPTS = 8;

const FIELDS = ["export-camera", "export-from", "export-to"];

const $ = id => document.getElementById(id);
const size = bytes => bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;

export class ExportDialog {
  constructor(cameras, page) {
    this.page = page;
    this.dialog = $("export-dialog");
    $("export-camera").append(...cameras.map(camera => new Option(camera.name)));
    for (const id of FIELDS) $(id).addEventListener("change", () => this.look());
    $("export-start").addEventListener("click", () => this.save());
    this.dialog.addEventListener("close", () => { this.looking?.abort(); this.abort?.abort(); });
  }

  open(camera, from, to) {
    $("export-camera").value = camera.name;
    $("export-from").value = times.field(from, this.page.utc, 3);
    $("export-to").value = times.field(to, this.page.utc, 3);
    $("export-progress").hidden = true;
    this.dialog.showModal();
    this.look();
  }

  get choice() {
    const at = id => times.fromField($(id).value, this.page.utc);
    return { camera: $("export-camera").value, from: at("export-from"), to: at("export-to") };
  }

  say(text) { $("export-size").textContent = text; }

  /** What it would be: its length in bytes, or why it cannot be. Only the newest choice is looked at. */
  async look() {
    this.looking?.abort();
    const { signal } = this.looking = new AbortController();
    const { camera, from, to } = this.choice;
    $("export-start").disabled = true;
    if (!(to > from)) return this.say("The end is not after the beginning.");
    $("export-list").href = server.contents(camera, from, to);
    try {
      // A refusal has a body only for GET, which is ended as soon as its head has come.
      const response = await server.get(server.range(camera, from, to), { signal });
      if (signal.aborted) return;
      const length = Number(response.headers.get("content-length"));
      this.looking.abort();
      this.say(`${times.length(to - from)}, ${size(length)} of MP4`);
      this.length = length;
      $("export-start").disabled = false;
    } catch (error) {
      if (signal.aborted) return;
      const parts = error.ranges?.map(({ start, end }) => `${start} … ${end}`).join(", ");
      this.say(`${error.message}. ${error.nextStep ?? ""}${parts ? ` In parts: ${parts}` : ""}`);
    }
  }

  async save() {
    const { camera, from, to } = this.choice;
    const name = `${camera}_${times.iso(from).slice(0, 19).replaceAll(":", "-")}Z.mp4`;
    if (!window.showSaveFilePicker && this.length > LARGEST_IN_MEMORY) {
      this.follow(server.range(camera, from, to, true), name);
      return this.say("Your browser saves it, and shows how far it is.");
    }
    this.isSaving(true);
    this.abort = new AbortController();
    try {
      const target = await this.target(name);
      await this.copy(server.range(camera, from, to), target);
      await target.close();
      this.say(`Saved: ${name}`);
      this.dialog.dataset.done = name;
    } catch (error) {
      this.say(error.name === "AbortError" ? "Not saved." : `Not saved: ${error.message}`);
    }
    this.isSaving(false);
  }

  /** What is being saved can be ended, not changed. */
  isSaving(isIt) {
    for (const id of [...FIELDS, "export-start"]) $(id).disabled = isIt;
    if (isIt) $("export-progress").hidden = false;
  }

  /** Where the bytes go: a file that the viewer names, where the browser can; else memory, then the downloads. */
  async target(name) {
    if (window.showSaveFilePicker && this.length > LARGEST_IN_MEMORY) {
      const file = await window.showSaveFilePicker({ suggestedName: name });
      return file.createWritable();
    }
    const parts = [];
    return {
      write: bytes => parts.push(bytes),
      close: () => {
        const url = URL.createObjectURL(new Blob(parts, { type: "video/mp4" }));
        this.follow(url, name);
        setTimeout(() => URL.revokeObjectURL(url), 60000);
      },
    };
  }

  follow(url, name) { Object.assign(document.createElement("a"), { href: url, download: name }).click(); }

  async copy(url, target) {
    const start = performance.now();
    let done = 0, length = NaN, tag = null;
    for (let attempt = 0; ; attempt++) {
      try {
        const headers = done ? { Range: `bytes=${done}-`, ...(tag ? { "If-Range": tag } : {}) } : {};
        const response = await server.get(url, { headers, signal: this.abort.signal });
        if (done && response.status !== 206) throw Object.assign(new Error("the footage changed meanwhile"), { isFinal: true });
        // The rest is as long as what is there says.
        if (!done) length = Number(response.headers.get("content-length"));
        tag = response.headers.get("etag");
        for (const reader = response.body.getReader(); ;) {
          const { done: isEnd, value } = await reader.read();
          if (isEnd) break;
          await target.write(value);
          done += value.length;
          attempt = 0;
          $("export-progress").value = Math.min(1, done / length);
          const left = (length - done) * (performance.now() - start) / 1000 / done;
          this.say(`${size(done)} of ${size(length)}, ${times.length(left)} left`);
        }
        if (done >= length) return;
        throw new Error("the connection ended early");
      } catch (error) {
        // A server that is busy, or a proxy's that starts again, is asked again.
        const isLasting = error.status && ![429, 502, 503, 504].includes(error.status);
        if (error.name === "AbortError" || error.isFinal || isLasting || attempt >= ATTEMPTS) throw error;
        await new Promise(resolve => setTimeout(resolve, 500 * 2 ** Math.min(attempt, 5)));
      }
    }
  }
}
