// What of the footage cannot be shown, and why: it costs its own moments, and no others.

/** Of all that there is: the server does not answer. */
export const EVERYTHING = "";

export class Troubles {
  constructor() { this.all = new Map(); }

  /** `place` is the key of a chunk or of an init part, or EVERYTHING; after `lasts` milliseconds it is tried again. */
  note(place, error, lasts) {
    const now = performance.now();
    for (const [place, { until }] of this.all) if (until <= now) this.all.delete(place);
    this.all.set(place, { error, until: now + lasts });
  }

  /** The error of a place, or null. */
  of(place) {
    const known = this.all.get(place);
    return known && performance.now() < known.until ? known.error : null;
  }

  /** Why a chunk cannot be shown now, or null; without one, why nothing can be. */
  at(chunk) { return (chunk && (this.of(chunk.init.key) ?? this.of(chunk.key))) ?? this.of(EVERYTHING); }
}
