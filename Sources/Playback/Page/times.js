// Times of the page are UTC seconds (a number with fractions); what is shown is UTC or the viewer's own time.

const pad = (value, digits = 2) => String(Math.floor(value)).padStart(digits, "0");

export const parse = text => Date.parse(text) / 1000;
export const iso = seconds => new Date(Math.round(seconds * 1000)).toISOString();

/** The calendar's parts of a time, in UTC or local time. */
export function parts(seconds, utc) {
  const date = new Date(Math.round(seconds * 1000));
  const get = name => date[(utc ? "getUTC" : "get") + name]();
  return {
    year: get("FullYear"), month: get("Month") + 1, day: get("Date"), hour: get("Hours"), minute: get("Minutes"),
    second: get("Seconds"), millisecond: get("Milliseconds"),
  };
}

export function day(seconds, utc) {
  const p = parts(seconds, utc);
  return `${p.year}-${pad(p.month)}-${pad(p.day)}`;
}

export function clock(seconds, utc, fraction = 0) {
  const p = parts(seconds, utc);
  const text = `${pad(p.hour)}:${pad(p.minute)}:${pad(p.second)}`;
  return fraction ? `${text}.${pad(p.millisecond, 3).slice(0, fraction)}` : text;
}

export const full = (seconds, utc, fraction = 0) =>
  `${day(seconds, utc)} ${clock(seconds, utc, fraction)}${utc ? "Z" : ""}`;

/** What <input type=datetime-local> holds, and back. */
export const field = (seconds, utc, fraction = 0) => `${day(seconds, utc)}T${clock(seconds, utc, fraction)}`;
export const fromField = (text, utc) => Date.parse(utc ? text + "Z" : text) / 1000;

/** A length in words: 3 d 4 h, 12 min 5 s. */
export function length(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first < 0) return `${seconds.toFixed(1)} s`;
  const [size, name] = units[first];
  const rest = units[first + 1];
  const more = rest ? Math.floor(seconds % size / rest[0]) : 0;
  return `${Math.floor(seconds / size)} ${name}` + (more ? ` ${more} ${rest[1]}` : "");
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
  604800, 1209600, 2678400, 7948800, 31622400];

/** Times for the marks of a ruler from…to, at most `most` of them, on round values of the calendar that is shown. */
export function marks(from, to, most, utc) {
  const step = STEPS.find(step => (to - from) / step <= most) ?? STEPS.at(-1);
  if (step >= 2678400) return months(from, to, Math.max(1, Math.round(step / 2678400)), utc);
  const marks = [];
  const zone = utc ? 0 : new Date(from * 1000).getTimezoneOffset() * 60;
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) marks.push(at);
  return { step, marks };
}

function months(from, to, step, utc) {
  const marks = [];
  const start = parts(from, utc);
  for (let month = 0; ; month += step) {
    const date = utc ? Date.UTC(start.year, month, 1) : new Date(start.year, month, 1).getTime();
    if (date / 1000 > to) break;
    if (date / 1000 >= from) marks.push(date / 1000);
  }
  return { step: 2678400 * step, marks };
}

export function markLabel(seconds, step, utc) {
  const p = parts(seconds, utc);
  if (step >= 2678400) return `${p.year}-${pad(p.month)}`;
  if (step >= 86400 || (p.hour === 0 && p.minute === 0 && p.second === 0)) return `${pad(p.month)}-${pad(p.day)}`;
  return step >= 60 ? `${pad(p.hour)}:${pad(p.minute)}` : clock(seconds, utc);
}
