// What the page asks of its server. What lets the page in, when its own address says it, goes along with every request.

import { iso, parse } from "./times.js";

/** A content token or a signature: [[name, value]], of a visitor who has no account. */
const pass = [...new URLSearchParams(location.search)].filter(([name]) => name === "token" || name === "signature");
const root = new URL("../", import.meta.url);

/** The address of something on the server, relative to where the page is, so that it may live below a path. */
export function address(path, query = {}) {
  const url = new URL(path, root);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  for (const [name, value] of pass) url.searchParams.set(name, value);
  return url.href;
}

export class Refused extends Error {
  constructor(status, body) {
    const error = body?.error ?? {};
    super(error.message ?? `the server answered with ${status}`);
    Object.assign(this, { status, code: error.code, nextStep: error.nextStep, ranges: body?.ranges ?? [] });
  }
}

/** A response that is one of success; else its error in the server's words. */
export async function get(url, options) {
  const response = await fetch(url, options);
  if (response.ok) return response;
  let body;
  try { body = await response.json(); } catch { /* A proxy's error is none of ours, and has no words for us. */ }
  throw new Refused(response.status, body);
}

const json = async (path, query, options) => (await get(address(path, query), options)).json();

export const cameras = async () => (await json("cameras")).cameras;

/** An answer of which nothing came for so long will not come, in milliseconds. */
const SILENCE = 20000;

/** Spans {from, to, kind, reason, state} that cover from…to, times in seconds; none of what this viewer may not see. */
export async function coverage(camera, from, to) {
  const query = { camera, from: iso(from), to: iso(to) };
  let answer;
  try {
    answer = await json("coverage", query, { signal: AbortSignal.timeout(SILENCE) });
  } catch (error) {
    if (error.code !== "outsideWindow") throw error;
    return [];
  }
  return answer.spans.map(span => ({ ...span, from: parse(span.from), to: parse(span.to) }));
}

export const playlist = (asset, from, to) =>
  address(`assets/${asset}/manifest(format=m3u8-cmaf,startTime=${iso(from)},endTime=${iso(to)},tracks=all).m3u8`);
export const still = (camera, time, width) => address(`preview/${camera}.jpg`, { time: time && iso(time), width });
/** Of several cameras at once, in the order of their names here. */
export function streams(cameras) {
  const url = new URL(address("live/streams"));
  for (const camera of cameras) url.searchParams.append("camera", camera);
  return url.href;
}
/** The transcoded sound of a chunk of a playlist; its address is beside that of the chunk's media. */
export function sound(chunk) {
  const url = new URL(chunk.url.replace("/media/", "/sound/"));
  url.searchParams.set("from", chunk.offset);
  url.searchParams.set("to", chunk.offset + chunk.length);
  return url.href;
}
export const range = (camera, from, to, download) =>
  address(`ranges/${camera}.mp4`, { from: iso(from), to: iso(to), download: download ? 1 : undefined });
export const contents = (camera, from, to) => address(`export/${camera}`, { from: iso(from), to: iso(to) });
