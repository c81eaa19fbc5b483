// Looks for recorded moments in the coverage of more and more of the time behind a moment.

import * as server from "./server.js";

/** Seconds that are asked for first; then four times as many each time. */
const FIRST = 6 * 3600;

/** The coverage of cameras behind `time`, until now: for each camera its spans, of one stretch of time after another. */
async function* later(cameras, time) {
  const now = Date.now() / 1000;
  for (let [from, length] = [time, FIRST]; from < now; from += length, length *= 4)
    yield await Promise.all(cameras.map(camera => server.coverage(camera.name, from, Math.min(now, from + length))));
}

/** Start of the first recorded second at or after `time` of any of the cameras; null when nothing was recorded since. */
export async function findRecorded(cameras, time) {
  for await (const answers of later(cameras, time)) {
    const starts = answers.flat().filter(span => span.kind === "recorded" && span.to > time + 0.1).map(span => Math.max(span.from, time));
    if (starts.length) return Math.min(...starts);
  }
  return null;
}

/** Where recording goes on behind the gap at `time`, or behind the next one; null when there is none, or nothing behind it. */
export async function findBehindGap(camera, time) {
  let isBehind = false;
  for await (const [spans] of later([camera], time))
    for (const span of spans) {
      if (span.kind === "recorded" && isBehind) return span.from;
      isBehind ||= span.kind !== "recorded";
    }
  return null;
}
