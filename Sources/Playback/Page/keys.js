// The keyboard: everything that the pointer can do.

/** In these a key means what it always means. */
const isText = element => element.matches("input, select, textarea");

export function bindKeys(page) {
  const $ = id => document.getElementById(id);
  const small = () => page.line.span / 60;
  const go = time => { page.seek(time); page.glance(); };
  const actions = {
    " ": () => page.play(), l: () => page.goLive(), j: () => page.skip(-10), ";": () => page.skip(10),
    ",": () => page.step(-1), ".": () => page.step(1), "[": () => page.faster(-1), "]": () => page.faster(1),
    "+": () => page.zoom(0.5), "=": () => page.zoom(0.5), "-": () => page.zoom(2), g: () => page.skipGap(),
    i: () => page.markClip(0), o: () => page.markClip(1), e: () => page.openExport(), m: () => page.toggleSound(),
    u: () => page.setZone(!page.utc), "?": () => $("help-dialog").showModal(),
    ArrowLeft: event => go(page.time - small() * (event.shiftKey ? 10 : 1)),
    ArrowRight: event => go(page.time + small() * (event.shiftKey ? 10 : 1)),
    Home: () => go(page.line.start), End: () => page.goLive(), Enter: () => page.enlarge(),
  };
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = event.target;
    if (isText(target)) return;
    // A button keeps the keys that press it.
    if (target.matches("button, a") && (event.key === " " || event.key === "Enter")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (/^[1-9]$/.test(key) && page.cameras[key - 1]) page.choose(page.cameras[key - 1]);
    else if (actions[key]) actions[key](event);
    else return;
    event.preventDefault();
  });
}
