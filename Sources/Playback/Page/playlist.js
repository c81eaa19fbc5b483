// Media playlists (RFC 8216) as our server writes them: byte ranges of segments, each range starting with a keyframe.

import { parse as parseTime } from "./times.js";

const attributes = text => Object.fromEntries(
  [...text.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g)].map(([, name, value]) => [name, value.replace(/^"|"$/g, "")]));

/** `LENGTH@OFFSET` as {offset, length}; without an offset it follows the one before (RFC 8216 §4.3.2.2). */
function byteRange(text, previousEnd) {
  const [length, offset] = text.split("@").map(Number);
  return { offset: Number.isFinite(offset) ? offset : previousEnd, length };
}

/** Chunks {key, start, end, url, offset, length, init, isGap}, ascending; times in UTC seconds, keys tell places apart. */
export function parsePlaylist(text, base) {
  const chunks = [];
  let init = null, duration = 0, range = null, time = null, isGap = false, last = { url: null, end: 0 };
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#EXT-X-MAP:")) {
      const map = attributes(line.slice(11));
      init = { url: new URL(map.URI, base).href, ...byteRange(map.BYTERANGE ?? "NaN@0", 0) };
      init.key = `${init.url}@${init.length}`;
    } else if (line.startsWith("#EXTINF:")) {
      duration = parseFloat(line.slice(8));
    } else if (line.startsWith("#EXT-X-BYTERANGE:")) {
      range = line.slice(17);
    } else if (line.startsWith("#EXT-X-PROGRAM-DATE-TIME:")) {
      time = parseTime(line.slice(25));
    } else if (line.startsWith("#EXT-X-GAP")) {
      isGap = true;
    } else if (line && !line.startsWith("#")) {
      const url = new URL(line, base).href;
      const place = range ? byteRange(range, last.url === url ? last.end : 0) : { offset: 0, length: NaN };
      const start = time ?? chunks.at(-1)?.end ?? 0;
      chunks.push({ key: `${url}@${place.offset}`, start, end: start + duration, url, ...place, init, isGap });
      last = { url, end: place.offset + place.length };
      range = null; time = null; isGap = false;
    }
  }
  return chunks;
}
