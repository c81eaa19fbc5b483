// As much of ISO/IEC 14496-12 as a player has to know: which codecs an init part names, when frames are shown, and
// how to hide a track that the browser would refuse the whole part for.

const text = (view, at) => String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
const hex = value => value.toString(16).padStart(2, "0");

/** Boxes {type, start, body, end} between two offsets; one that does not fit ends the list. */
function* boxes(view, start, end) {
  while (start + 8 <= end) {
    let size = view.getUint32(start), body = start + 8;
    if (size === 1 && start + 16 <= end) { size = Number(view.getBigUint64(start + 8)); body = start + 16; }
    if (size < body - start || start + size > end) return;
    yield { type: text(view, start + 4), start, body, end: start + size };
    start += size;
  }
}

function find(view, box, ...path) {
  for (const type of path) {
    box = [...boxes(view, box.body, box.end)].find(child => child.type === type);
    if (!box) return null;
  }
  return box;
}

const whole = view => ({ body: 0, end: view.byteLength });
const viewOf = bytes => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Tracks {id, kind, name, codec, timescale, frame, size} of an init part, and what is its kind's own. */
export function tracks(bytes) {
  const view = viewOf(bytes);
  const moov = find(view, whole(view), "moov");
  if (!moov) return [];
  const defaults = {};
  const mvex = find(view, moov, "mvex");
  for (const box of mvex ? boxes(view, mvex.body, mvex.end) : [])
    if (box.type === "trex") defaults[view.getUint32(box.body + 4)] = { frame: view.getUint32(box.body + 12), size: view.getUint32(box.body + 16) };
  return [...boxes(view, moov.body, moov.end)].filter(box => box.type === "trak").map(trak => track(view, trak, defaults))
    .filter(track => track);
}

function track(view, trak, defaults) {
  const tkhd = find(view, trak, "tkhd"), mdhd = find(view, trak, "mdia", "mdhd");
  const stsd = find(view, trak, "mdia", "minf", "stbl", "stsd");
  if (!tkhd || !mdhd || !stsd) return null;
  const id = view.getUint32(tkhd.body + (view.getUint8(tkhd.body) ? 20 : 12));
  const timescale = view.getUint32(mdhd.body + (view.getUint8(mdhd.body) ? 20 : 12));
  const entry = [...boxes(view, stsd.body + 8, stsd.end)][0];
  return entry ? { id, timescale, trak, frame: 0, size: 0, ...defaults[id], ...codec(view, entry) } : null;
}

/** RFC 6381 §3.3–3.4 and ISO/IEC 14496-15 Annex E. */
function codec(view, entry) {
  const size = { width: view.getUint16(entry.body + 24), height: view.getUint16(entry.body + 26) };
  const inVideo = { body: entry.body + 78, end: entry.end };
  switch (entry.type) {
    case "avc1": {
      const avcC = find(view, inVideo, "avcC");
      const codec = avcC ? "avc1." + [1, 2, 3].map(at => hex(view.getUint8(avcC.body + at))).join("") : "avc1";
      return { kind: "video", name: "H.264", codec, ...size };
    }
    case "hvc1": case "hev1": {
      const hvcC = find(view, inVideo, "hvcC");
      return { kind: "video", name: "H.265", codec: hvcC ? hevc(view, entry.type, hvcC.body) : entry.type, ...size };
    }
    case "mp4a": return { kind: "audio", name: "AAC", codec: "mp4a.40.2" };
    case "Opus": return { kind: "audio", name: "Opus", codec: "opus" };
    case "alaw": case "ulaw":
      return { kind: "audio", name: "G.711", codec: entry.type, channels: Math.max(1, view.getUint16(entry.body + 16)) };
    default: return { kind: "other", name: entry.type, codec: entry.type };
  }
}

function hevc(view, type, at) {
  const profile = view.getUint8(at + 1);
  let flags = view.getUint32(at + 2), reversed = 0;
  for (let bit = 0; bit < 32; bit++, flags >>>= 1) reversed = reversed * 2 + (flags & 1);
  const constraints = [];
  for (let index = 0; index < 6; index++) constraints.push(view.getUint8(at + 6 + index));
  while (constraints.length && constraints.at(-1) === 0) constraints.pop();
  const space = ["", "A", "B", "C"][profile >> 6];
  return [type, space + (profile & 31), reversed.toString(16), (profile & 32 ? "H" : "L") + view.getUint8(at + 12),
    ...constraints.map(value => value.toString(16))].join(".");
}

const FREE = [0x66, 0x72, 0x65, 0x65];

/** Retypes the boxes of tracks that are not kept, so that nobody reads them; nothing moves. */
export function hideTracks(bytes, keep) {
  const view = viewOf(bytes);
  for (const box of boxes(view, 0, bytes.length)) {
    if (box.type !== "moov" && box.type !== "moof") continue;
    for (const child of boxes(view, box.body, box.end)) {
      const head = child.type === "trak" ? find(view, child, "tkhd") : child.type === "traf" ? find(view, child, "tfhd") : null;
      if (!head) continue;
      const id = view.getUint32(head.body + (child.type === "traf" ? 4 : view.getUint8(head.body) ? 20 : 12));
      if (!keep.has(id)) bytes.set(FREE, child.start + 4);
    }
  }
}

/** When each frame of a track is shown, in seconds of the media's own time, ascending. */
export function frameTimes(bytes, track) {
  const times = [];
  for (const sample of samples(viewOf(bytes), track)) times.push((sample.time + sample.shift) / track.timescale);
  return times.sort((a, b) => a - b);
}

/** Whether a fragment's first frame of a track needs no other. */
export function startsWithKey(bytes, track) { return samples(viewOf(bytes), track).next().value?.isKey ?? false; }

/** A track's bytes in a fragment, and when the first of them is due, in seconds; {data, time}. */
export function sound(bytes, track) {
  const all = [...samples(viewOf(bytes), track)].filter(sample => sample.offset + sample.size <= bytes.length);
  const data = new Uint8Array(all.reduce((sum, sample) => sum + sample.size, 0));
  let at = 0;
  for (const { offset, size } of all) { data.set(bytes.subarray(offset, offset + size), at); at += size; }
  return { data, time: (all[0]?.time ?? 0) / track.timescale };
}

/** Samples {time, shift, offset, size, isKey} of a track, times in its ticks; their data is placed from the start of its moof. */
function* samples(view, track) {
  for (const moof of boxes(view, 0, view.byteLength)) {
    if (moof.type !== "moof") continue;
    for (const traf of boxes(view, moof.body, moof.end)) {
      const tfhd = traf.type === "traf" && find(view, traf, "tfhd");
      if (!tfhd || view.getUint32(tfhd.body + 4) !== track.id) continue;
      const tfdt = find(view, traf, "tfdt");
      const flags = view.getUint32(tfhd.body) & 0xffffff;
      let at = tfhd.body + 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
      const place = {
        time: tfdt ? view.getUint8(tfdt.body) ? Number(view.getBigUint64(tfdt.body + 4)) : view.getUint32(tfdt.body + 4) : 0,
        frame: flags & 8 ? view.getUint32(at) : track.frame,
        size: flags & 16 ? view.getUint32(flags & 8 ? at + 4 : at) : track.size,
        offset: moof.start };
      for (const run of boxes(view, traf.body, traf.end))
        if (run.type === "trun") yield* runSamples(view, run, moof.start, place);
    }
  }
}

function* runSamples(view, run, base, place) {
  const flags = view.getUint32(run.body) & 0xffffff;
  const count = view.getUint32(run.body + 4);
  const length = [0x100, 0x200, 0x400, 0x800].filter(flag => flags & flag).length * 4;
  if (flags & 1) place.offset = base + view.getInt32(run.body + 8);
  let at = run.body + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  for (let sample = 0; sample < count && at + length <= run.end; sample++, at += length) {
    const size = flags & 0x200 ? view.getUint32(at + (flags & 0x100 ? 4 : 0)) : place.size;
    // `sample_is_non_sync_sample` (§8.8.3.1).
    const marks = flags & 0x400 ? view.getUint32(at + length - (flags & 0x800 ? 8 : 4)) : 0;
    yield { time: place.time, shift: flags & 0x800 ? view.getInt32(at + length - 4) : 0, offset: place.offset, size,
      isKey: (marks & 0x10000) === 0 };
    place.time += flags & 0x100 ? view.getUint32(at) : place.frame;
    place.offset += size;
  }
}
