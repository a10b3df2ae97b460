/**
 * The only file that reads the machine's clock or sets its timers. Everything else is handed the time.
 *
 * Modes: `real` follows the machine; `ticking` runs at the machine's speed from a chosen instant; `frozen` stands still
 * until it is told to advance.
 */

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

export type ClockMode = "real" | "ticking" | "frozen";

export interface ClockSetting {
  readonly mode: ClockMode;
  /** Virtual instant at `anchor`; absent for `real` and for `ticking` from now. */
  readonly at?: Instant;
  /** Wall instant at which `at` held. Several processes given one anchor show one time. */
  readonly anchor?: Instant;
}

/** Something that wants to know when virtual time moved or jumped. */
export type ClockListener = () => void;

export interface Clock {
  readonly mode: ClockMode;
  now(): Instant;
  /** The machine's time, for what real clients check: SigV4 skew, token expiry, webhook timestamps. */
  wall(): Instant;
  /** Scales a life-cycle delay by BACKLOT_PACE. */
  paced(delayMs: number): number;
  set(setting: ClockSetting): void;
  /** Moves virtual time forward to `instant`; a `real` clock becomes a `ticking` one that is ahead. Never backward. */
  moveTo(instant: Instant): void;
  describe(): { mode: ClockMode; now: string; epochMs: Instant; aheadMs: number };
  onChange(listener: ClockListener): () => void;
}

export function createClock(initial: ClockSetting, pace: number): Clock {
  let mode: ClockMode = "real";
  let offset = 0;
  let frozenAt: Instant = 0;
  const listeners = new Set<ClockListener>();
  const changed = () => {
    for (const listener of listeners) listener();
  };

  const clock: Clock = {
    get mode() {
      return mode;
    },
    now: () => (mode === "frozen" ? frozenAt : Date.now() + offset),
    wall: () => Date.now(),
    paced: (delayMs) => Math.round(delayMs * pace),
    set(setting) {
      const wall = Date.now();
      mode = setting.mode;
      offset = setting.mode === "ticking" && setting.at !== undefined ? setting.at - (setting.anchor ?? wall) : 0;
      frozenAt = setting.at ?? wall;
      changed();
    },
    moveTo(instant) {
      const ahead = instant - clock.now();
      if (ahead <= 0) return;
      if (mode === "frozen") frozenAt = instant;
      else {
        mode = "ticking";
        offset += ahead;
      }
      changed();
    },
    describe: () => ({
      mode,
      now: new Date(clock.now()).toISOString(),
      epochMs: clock.now(),
      aheadMs: clock.now() - Date.now(),
    }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  clock.set(initial);
  return clock;
}

const instantForm = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?$/i;

/** A date, which is UTC, or a time with its zone: without one it would be another instant on another machine. */
export function parseInstant(text: string): Instant | undefined {
  const at = instantForm.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** Parses `real`, `ticking`, `ticking@<ISO>`, `frozen`, `frozen@<ISO>`; undefined when it is none of them. */
export function parseClock(text: string): ClockSetting | undefined {
  const match = /^(real|ticking|frozen)(?:@(.+))?$/.exec(text.trim());
  if (!match) return undefined;
  const mode = match[1] as ClockMode;
  if (match[2] === undefined) return { mode };
  const at = parseInstant(match[2]);
  if (mode === "real" || at === undefined) return undefined;
  return { mode, at };
}

const longestTimeout = 2 ** 31 - 1;

/**
 * Calls back after a span of real time; for deadlines on sockets, and for the one alarm that wakes virtual timers.
 * Unreferenced unless `hold`: a pending deadline never keeps a process alive.
 */
export function afterReal(milliseconds: number, action: () => void, hold = false): () => void {
  const handle = setTimeout(action, Math.max(0, Math.min(milliseconds, longestTimeout)));
  if (!hold) handle.unref();
  return () => clearTimeout(handle);
}

export function everyReal(milliseconds: number, action: () => void): () => void {
  const handle = setInterval(action, milliseconds);
  handle.unref();
  return () => clearInterval(handle);
}

/** Starts measuring real time; the answer is milliseconds with fractions. */
export function stopwatch(): () => number {
  const start = monotonic();
  return () => monotonic() - start;
}

/** Kept: asking the global object for `performance` costs more than the time itself. */
let machine: typeof performance | undefined;
function monotonic(): number {
  machine ??= performance;
  return machine.now();
}

/** The time zone's and locale's hands off: `2026-11-21T06:13:34.000Z`. */
export function isoMilliseconds(instant: Instant): string {
  return new Date(instant).toISOString();
}

/** `2026-11-21T06:13:34Z`. */
export function isoSeconds(instant: Instant): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`;
}
