/**
 * Durable timers on the virtual clock. The heap in memory decides; the store keeps a copy of it (kernel_timers) with the
 * same commit as the change that scheduled the timer, so a killed process resumes every life cycle.
 *
 * Order: due instant, then kind and subject, never arrival, so that a run does not depend on the order of requests.
 */
import { afterReal, type Clock, type Instant } from "./clock.ts";
import type { KeptTrace, Tracer } from "./tracing.ts";

export interface Timer {
  readonly kind: string;
  /** What it is about, e.g. a message sid. One timer per (kind, subject): scheduling again moves it. */
  readonly subject: string;
  readonly due: Instant;
  /** Small and JSON-serialisable, or nothing. */
  readonly data?: unknown;
  /** The trace of what scheduled it; set by the kernel. */
  readonly trace?: KeptTrace;
}

export interface Timers {
  schedule(timer: Timer): void;
  cancel(kind: string, subject: string): void;
  get(kind: string, subject: string): Timer | undefined;
  /** The earliest due instant, or undefined when nothing waits. */
  nextDue(): Instant | undefined;
  readonly size: number;
  /** Pending timers, soonest first. */
  list(limit: number): readonly Timer[];
}

export interface TimerChange {
  readonly timer: Timer;
  readonly scheduled: boolean;
  readonly previous: Timer | undefined;
}

/** What the kernel itself may do with timers; emulators only see `Timers`. */
export interface TimerEngine extends Timers {
  load(timers: Iterable<Timer>): void;
  /** Takes out everything due at or before `now`, in order. */
  takeDue(now: Instant, most: number): readonly Timer[];
  /** Told of every change, with the timer that stood there before. */
  onChange(listener: (change: TimerChange) => void): void;
  /** Takes a change back: what made it was rolled back. */
  undo(change: TimerChange): void;
  start(fire: () => void): void;
  stop(): void;
}

export function createTimers(clock: Clock, tracer?: Pick<Tracer, "current">): TimerEngine {
  // By kind, then subject: looking one up joins no strings.
  const live = new Map<string, Map<string, Timer>>();
  let size = 0;
  let heap: Timer[] = [];
  let kept: (change: TimerChange) => void = () => {};
  let fire: (() => void) | undefined;
  let alarm: (() => void) | undefined;
  let alarmAt = Number.POSITIVE_INFINITY;

  const find = (kind: string, subject: string) => live.get(kind)?.get(subject);
  const put = (timer: Timer) => {
    let ofKind = live.get(timer.kind);
    if (!ofKind) {
      ofKind = new Map();
      live.set(timer.kind, ofKind);
    }
    const known = ofKind.size;
    ofKind.set(timer.subject, timer);
    size += ofKind.size - known;
  };
  const drop = (kind: string, subject: string) => {
    if (live.get(kind)?.delete(subject)) size -= 1;
  };
  const isLive = (timer: Timer) => find(timer.kind, timer.subject) === timer;

  /** Drops cancelled and moved timers from the top. */
  const top = (): Timer | undefined => {
    for (;;) {
      const first = heap[0];
      if (first === undefined || isLive(first)) return first;
      pop(heap);
    }
  };

  /** One real alarm for the earliest timer; a frozen clock needs none. */
  const arm = () => {
    if (!fire) return;
    const due = clock.mode === "frozen" ? undefined : top()?.due;
    if (due === undefined) {
      alarm?.();
      alarm = undefined;
      alarmAt = Number.POSITIVE_INFINITY;
      return;
    }
    if (alarm && alarmAt <= due) return;
    alarm?.();
    alarmAt = due;
    alarm = afterReal(due - clock.now(), () => {
      alarm = undefined;
      alarmAt = Number.POSITIVE_INFINITY;
      fire?.();
      arm();
    });
  };
  const stopListening = clock.onChange(() => {
    alarm?.();
    alarm = undefined;
    arm();
  });

  const engine: TimerEngine = {
    schedule(wanted) {
      const trace = tracer?.current;
      const timer = trace === undefined ? wanted : { ...wanted, trace };
      const previous = find(timer.kind, timer.subject);
      put(timer);
      push(heap, timer);
      kept({ timer, scheduled: true, previous });
      arm();
    },
    cancel(kind, subject) {
      const timer = find(kind, subject);
      if (!timer) return;
      drop(kind, subject);
      kept({ timer, scheduled: false, previous: timer });
    },
    get: find,
    nextDue: () => top()?.due,
    get size() {
      return size;
    },
    list: (limit) =>
      [...live.values()]
        .flatMap((ofKind) => [...ofKind.values()])
        .sort(before)
        .slice(0, limit),
    load(timers) {
      live.clear();
      size = 0;
      heap = [];
      for (const timer of timers) {
        put(timer);
        push(heap, timer);
      }
      alarm?.();
      alarm = undefined;
      alarmAt = Number.POSITIVE_INFINITY;
      arm();
    },
    takeDue(now, most) {
      const due: Timer[] = [];
      for (let first = top(); first && first.due <= now && due.length < most; first = top()) {
        pop(heap);
        drop(first.kind, first.subject);
        kept({ timer: first, scheduled: false, previous: first });
        due.push(first);
      }
      return due;
    },
    onChange(listener) {
      kept = listener;
    },
    undo({ timer, previous }) {
      if (previous === undefined) drop(timer.kind, timer.subject);
      else {
        put(previous);
        push(heap, previous);
        arm();
      }
    },
    start(action) {
      fire = action;
      arm();
    },
    stop() {
      fire = undefined;
      alarm?.();
      alarm = undefined;
      stopListening();
    },
  };
  return engine;
}

function before(left: Timer, right: Timer): number {
  if (left.due !== right.due) return left.due - right.due;
  if (left.kind !== right.kind) return left.kind < right.kind ? -1 : 1;
  return left.subject < right.subject ? -1 : left.subject > right.subject ? 1 : 0;
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || before(above, timer) <= 0) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const leftTimer = heap[left];
    if (leftTimer === undefined) break;
    const rightTimer = heap[left + 1];
    const smaller = rightTimer !== undefined && before(rightTimer, leftTimer) < 0 ? left + 1 : left;
    const child = heap[smaller];
    if (child === undefined || before(last, child) <= 0) break;
    heap[at] = child;
    at = smaller;
  }
  heap[at] = last;
}
