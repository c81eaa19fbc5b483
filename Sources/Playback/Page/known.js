// What is known of one camera's time: asked of the server in parts, which are laid over one another.

/** What is so recorded is said otherwise later, once the store has it. */
const CHANGING = new Set(["recording", "closed", "uploaded"]);
/** Near now reasons of gaps and states still come: so long, in seconds. */
const UNSETTLED = 300;
/** It is asked again after so long at least and at most, in seconds. */
const SOONEST = 5, LATEST = 300;
/** What is known may be so many times as long as what is shown. */
const MOST_KNOWN = 9;

export class KnownTime {
  constructor() { this.forget(); }

  forget() { Object.assign(this, { spans: [], from: Infinity, to: -Infinity, at: -Infinity }); }

  /**
   * What has to be asked so that start…end is known as it is now: {from, to}, which `take` is given with the answer, or null.
   * Beside what nobody asked for yet it is the end alone, less often the more is shown or asked: five seconds of a year
   * nobody sees.
   */
  missing(start, end, now) {
    const span = end - start, seen = Math.min(end, now);
    const [from, to] = [start - span / 4, Math.min(end + span / 4, now)];
    if (this.from > seen || this.to < start || this.to - this.from > span * MOST_KNOWN) return { from, to, isAnew: true };
    if (this.from > start) return { from, to: this.from };
    const changing = this.changing;
    const tail = { from: Math.max(this.from, Math.min(this.to - UNSETTLED, changing)), to: Math.max(this.to, to) };
    const period = Math.min(LATEST, Math.max(SOONEST, span / 1600, (tail.to - tail.from) / 720));
    const isOld = performance.now() / 1000 - this.at > period;
    const isOpen = seen > this.to || this.to > now - 2 * UNSETTLED || changing < Infinity;
    return seen - this.to > period || (isOld && isOpen) ? tail : null;
  }

  /** Start of what may be said otherwise later. */
  get changing() { return this.spans.find(span => CHANGING.has(span.state))?.from ?? Infinity; }

  /** Takes an answer: spans that cover from…to. */
  take({ from, to, isAnew }, spans) {
    if (isAnew) this.forget();
    const cut = (first, last) => this.spans.filter(span => span.to > first && span.from < last)
      .map(span => ({ ...span, from: Math.max(span.from, first), to: Math.min(span.to, last) }));
    this.spans = joined([...cut(-Infinity, from), ...spans, ...cut(to, Infinity)]);
    [this.from, this.to] = [Math.min(this.from, from), Math.max(this.to, to)];
    this.at = performance.now() / 1000;
  }

  /** The span that holds a time, as far as it is known. */
  spanAt(time) {
    const span = this.spans[this.indexAt(time)];
    return span && span.from <= time ? span : undefined;
  }

  /** The first recorded second at or after a time; undefined when none is known. */
  nextRecorded(time) {
    const span = this.spans.slice(this.indexAt(time)).find(span => span.kind === "recorded" && span.to > time + 0.1);
    return span && Math.max(span.from, time);
  }

  /** Of the first span that ends after a time. */
  indexAt(time) {
    let [low, high] = [0, this.spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.spans[middle].to <= time) low = middle + 1; else high = middle;
    }
    return low;
  }
}

/** Where parts meet, what goes on is one span again. */
function joined(spans) {
  const all = [];
  for (const span of spans) {
    const last = all.at(-1);
    if (last && last.to === span.from && ["kind", "reason", "state"].every(name => last[name] === span[name])) last.to = span.to;
    else all.push({ ...span });
  }
  return all;
}
