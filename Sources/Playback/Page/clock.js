// The one clock that all recorded pictures follow: a moment of footage, how fast it goes, and whether it stands.

/** Pictures that are late hold all others up for so long, in milliseconds; then those go on without them. */
const PATIENCE = 8000;
/** Patience comes back so much slower than it goes, and nobody is waited for again before there is this much of it. */
const RECOVERY = 1 / 8, ENOUGH = 1500;

export class Clock {
  constructor() {
    Object.assign(this, { rate: 1, isPlaying: false, isHeld: false, jumps: 0, looked: performance.now() });
    this.time = Date.now() / 1000;
  }

  get time() {
    const runs = this.isPlaying && !this.isHeld;
    return this.moment + (runs ? (performance.now() - this.anchor) / 1000 * this.rate : 0);
  }

  /** To another moment, where all pictures are waited for. */
  set time(time) {
    this.place(time);
    this.patience = PATIENCE;
    this.jumps += 1;
  }

  place(time) {
    this.moment = time;
    this.anchor = performance.now();
  }

  change(values) {
    this.place(this.time);
    this.patience = PATIENCE;
    Object.assign(this, values);
  }

  /** Stands still while `isLate`, so that all pictures stay in step: not for ever, and not again and again. */
  hold(isLate) {
    // Nobody looks while a tab is hidden, or what is live is shown.
    const now = performance.now(), passed = Math.min(now - this.looked, 250);
    this.looked = now;
    this.patience = Math.max(0, Math.min(PATIENCE, this.patience + passed * (this.isHeld ? -1 : RECOVERY)));
    const isHeld = isLate && this.patience > (this.isHeld ? 0 : ENOUGH);
    if (isHeld === this.isHeld) return;
    this.place(this.time);
    this.isHeld = isHeld;
  }
}
