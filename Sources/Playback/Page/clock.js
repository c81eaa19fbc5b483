// The one clock that all recorded pictures follow: a moment of footage, how fast it goes, and whether it stands.

/** Pictures that are late hold all others up for so long, in milliseconds; then they follow on their own. */
const PATIENCE = 8000;

export class Clock {
  constructor() {
    this.moment = Date.now() / 1000;
    this.rate = 1;
    this.isPlaying = false;
    this.isHeld = false;
    this.anchor = performance.now();
  }

  get time() {
    const runs = this.isPlaying && !this.isHeld;
    return this.moment + (runs ? (performance.now() - this.anchor) / 1000 * this.rate : 0);
  }

  set time(time) {
    this.moment = time;
    this.anchor = performance.now();
    this.heldSince = null;
  }

  change(values) {
    this.time = this.time;
    Object.assign(this, values);
  }

  /** Stands still while `isLate`, so that all pictures stay in step; not for ever. */
  hold(isLate) {
    const now = performance.now();
    if (isLate) this.heldSince ??= now; else this.heldSince = null;
    const isHeld = isLate && now - this.heldSince < PATIENCE;
    if (isHeld === this.isHeld) return;
    const since = this.heldSince;
    this.time = this.time;
    this.heldSince = since;
    this.isHeld = isHeld;
  }
}
