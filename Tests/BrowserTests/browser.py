#!/usr/bin/env python3
"""A headless Chromium that a test leads: one command in JSON a line in, one answer in JSON a line out.

  browser.py FOLDER        screenshots and downloads go there

  {"open": URL, "width": W, "height": H, "scheme": "dark", "zone": ZONE, "scripts": [PATH, …]}
                                             a new page in place of the one before, in which the scripts run first
  {"evaluate": SCRIPT}                       {"value": …}
  {"until": SCRIPT, "within": S}             waits until the script's value is true
  {"press": [KEY, …]}   {"move": [X, Y]}   {"click": SELECTOR}   {"fill": [SELECTOR, TEXT]}
  {"touch": "touchStart"|"touchMove"|"touchEnd", "place": [X, Y]}    one finger; of its end there is no place
  {"tree": true}                             {"value": ["ROLE NAME", …]}, what those hear who do not see the page
  {"shot": NAME}                             {"value": PATH}
  {"underway": ""}                           {"value": [URL, …]} of requests whose answers have not ended
  {"download": SELECTOR}                     clicks and waits for the file: {"value": PATH}

An error is {"error": TEXT}. What the page itself complains of goes to standard error.
"""

import json
import sys

from playwright.sync_api import Error, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]

# The number that contrib/camera/clips.py puts into the picture of its coded clips, as the page shows it: -1 if there is none.
READER = """
window.frameIn = (picture, width, height) => {
  if (!width) return -1;
  const canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, 0, 0, width, height);
  const level = cell => pen.getImageData(8 + 25 * cell + 12, height - 20, 1, 1).data[1];
  if (level(0) < 160 || level(1) > 96) return -1;
  let number = 0;
  for (let cell = 2; cell < 12; cell++) number = number * 2 + (level(cell) > 128 ? 1 : 0);
  return number;
};
window.frameOf = name => {
  const video = document.querySelector(`[data-camera="${name}"] video`);
  return video ? frameIn(video, video.videoWidth, video.videoHeight) : -1;
};
window.loudnessOf = async name => {
  const video = document.querySelector(`[data-camera="${name}"] video`);
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaElementSource(video).connect(analyser);
  analyser.connect(context.destination);
  let loudest = 0;
  for (let look = 0; look < 40; look++) {
    await new Promise(resolve => setTimeout(resolve, 50));
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length));
  }
  return loudest;
};
"""

# What can be reached, what it is called, and how text stands out (WCAG 2.2, contrast ratio), pictures taken as white.
AUDIT = """
window.nameOf = element => (element.closest("#grid") ? "grid: " : element.closest("#rows") ? "row: " : "")
  + (element.id || element.ariaLabel || element.textContent.trim() || element.tagName);
window.reachable = () => [...document.querySelectorAll('a[href], button, select, input, [tabindex="0"]')]
  .filter(element => element.checkVisibility() && !element.disabled && !element.closest('dialog:not([open])'));
const light = color => color.map(value => value / 255).map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
  .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
const apart = colors => { const [one, other] = colors.map(light).sort((a, b) => a - b); return (other + 0.05) / (one + 0.05); };
// Of the colours of the time line, on the ground of its rows.
window.lineContrasts = () => {
  const rgb = text => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));
  const color = name => rgb(getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim());
  return ["verified", "pending", "recording", "gap", "planned", "evicted", "accent", "live"]
    .map(name => ({ text: name, ratio: apart([color(name), color("raised")]) }));
};
window.contrasts = () => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = (top, base) => base.map((value, index) => top[index] * top[3] + value * (1 - top[3]));
  const ratio = element => {
    const chain = [];
    for (let parent = element; parent; parent = parent.parentElement) chain.unshift(parent);
    const ground = chain.reduce((base, parent) => parent.classList.contains("tile") ? [255, 255, 255]
      : over(parse(getComputedStyle(parent).backgroundColor), base), [255, 255, 255]);
    return apart([ground, over(parse(getComputedStyle(element).color), ground)]);
  };
  const hasText = element => element.matches("select, input")
    || [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  return [...document.querySelectorAll("body *:not(option, script, noscript)")]
    .filter(element => hasText(element) && element.checkVisibility() && !element.disabled && !element.matches(".skip"))
    .map(element => ({ text: (element.id || element.textContent.trim()).slice(0, 40), ratio: ratio(element) }));
};
"""


class Browser:
    def __init__(self, chromium, folder):
        self.chromium, self.folder, self.page = chromium, folder, None
        self.underway = []

    def follow(self, page):
        self.underway = []
        page.on("request", lambda request: self.underway.append(request))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: request in self.underway and self.underway.remove(request))

    def obey(self, command):
        (verb, value), *_ = command.items()
        match verb:
            case "open":
                if self.page:
                    self.page.context.close()
                size = {"width": command.get("width", 1280), "height": command.get("height", 800)}
                # Other players than ours start workers of their own making.
                context = self.chromium.new_context(
                    viewport=size, accept_downloads=True, color_scheme=command["scheme"], timezone_id=command["zone"],
                    bypass_csp=bool(command["scripts"]))
                for script in command["scripts"]:
                    context.add_init_script(path=script)
                context.add_init_script(READER)
                context.add_init_script(AUDIT)
                self.page = context.new_page()
                self.follow(self.page)
                self.page.on("console", lambda message: print(message.type, message.text, file=sys.stderr, flush=True))
                self.page.on("pageerror", lambda error: print("uncaught", error, file=sys.stderr, flush=True))
                self.page.goto(value)
                self.tools = context.new_cdp_session(self.page)
            case "evaluate":
                return self.page.evaluate(value)
            case "until":
                self.page.wait_for_function(value, timeout=1000 * command["within"], polling=50)
            case "press":
                for key in value:
                    self.page.keyboard.press(key)
            case "move":
                self.page.mouse.move(*value)
            case "touch":
                places = [dict(zip("xy", command["place"]))] if command["place"] else []
                self.tools.send("Input.dispatchTouchEvent", {"type": value, "touchPoints": places})
            case "tree":
                nodes = self.tools.send("Accessibility.getFullAXTree")["nodes"]
                return [f"{node['role']['value']} {node.get('name', {}).get('value', '')}" for node in nodes if not node["ignored"]]
            case "click":
                self.page.click(value)
            case "fill":
                self.page.fill(*value)
            case "underway":
                # What happened meanwhile is told while something else is asked.
                self.page.evaluate("1")
                return [request.url for request in self.underway]
            case "shot":
                path = f"{self.folder}/{value}.png"
                self.page.screenshot(path=path)
                return path
            case "download":
                with self.page.expect_download(timeout=60_000) as waiting:
                    self.page.click(value)
                path = f"{self.folder}/{waiting.value.suggested_filename}"
                waiting.value.save_as(path)
                return path
            case _:
                raise ValueError(f"not understood: {verb}")
        return None


def main():
    with sync_playwright() as playwright:
        # With scroll bars, as on a desk: they take room.
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, ignore_default_args=["--hide-scrollbars"])
        browser = Browser(chromium, sys.argv[1])
        print(json.dumps({"value": chromium.version}), flush=True)
        for line in sys.stdin:
            try:
                answer = {"value": browser.obey(json.loads(line))}
            except (Error, ValueError, KeyError) as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
        chromium.close()


if __name__ == "__main__":
    main()
