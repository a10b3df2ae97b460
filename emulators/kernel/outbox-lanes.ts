/**
 * Which delivery may go next. Deliveries about one resource to one target form a lane, of which only the head moves;
 * targets take turns, each with a bound on what is under way, so that one that does not answer holds up nobody else.
 * Every step costs the same however much waits.
 */
import type { Instant } from "./clock.ts";
import { createFifo, type Fifo } from "./fifo.ts";

/** What is kept in memory of a delivery that waits. */
export interface Waiting {
  readonly id: string;
  readonly lane: string;
  /** Registered endpoint, or origin of a callback's address. */
  readonly target: string;
  due: Instant;
}

/** An entry is in one place at a time: sent twice at once, it would also push its successor out of the lane. */
interface Place {
  readonly entry: Waiting;
  stage: "resting" | "ready" | "flying" | "gone";
  /** What it waits for came while it was under way. */
  woken: boolean;
}

export interface Lanes {
  readonly waiting: number;
  /** Could go now if there were room. */
  readonly ready: number;
  readonly inFlight: number;
  admit(entry: Waiting): void;
  /** What the head of a lane waited for has come. */
  wake(id: string): void;
  /** The next that may go, which then counts as under way until it lands. */
  take(): Waiting | undefined;
  land(entry: Waiting): void;
  /** Delivered, dead or gone: the next of its lane becomes the head. */
  leave(entry: Waiting): void;
}

interface TargetQueue {
  readonly name: string;
  readonly ready: Fifo<Place>;
  flying: number;
  /** In the round of those that could send. */
  listed: boolean;
}

export function createLanes(options: {
  /** True when the head of a lane has to wait for its time; it is then woken. */
  readonly postpone: (entry: Waiting) => boolean;
  readonly limitOf: (target: string) => number;
  readonly mostInFlight: number;
}): Lanes {
  const { postpone, limitOf, mostInFlight } = options;
  const places = new Map<string, Place>();
  const lanes = new Map<string, Fifo<Place>>();
  const targets = new Map<string, TargetQueue>();
  const round = createFifo<TargetQueue>();
  let ready = 0;
  let inFlight = 0;

  const list = (queue: TargetQueue) => {
    if (queue.listed || queue.ready.size === 0 || queue.flying >= limitOf(queue.name)) return;
    queue.listed = true;
    round.push(queue);
  };
  const makeReady = (place: Place) => {
    const { target } = place.entry;
    let queue = targets.get(target);
    if (!queue) {
      queue = { name: target, ready: createFifo(), flying: 0, listed: false };
      targets.set(target, queue);
    }
    place.stage = "ready";
    place.woken = false;
    queue.ready.push(place);
    ready += 1;
    list(queue);
  };
  const become = (place: Place) => {
    if (!postpone(place.entry)) makeReady(place);
  };
  const isHead = (place: Place) => lanes.get(place.entry.lane)?.first === place;

  return {
    get waiting() {
      return places.size;
    },
    get ready() {
      return ready;
    },
    get inFlight() {
      return inFlight;
    },
    admit(entry) {
      const place: Place = { entry, stage: "resting", woken: false };
      places.set(entry.id, place);
      const lane = lanes.get(entry.lane);
      if (lane) {
        lane.push(place);
        return;
      }
      const opened = createFifo<Place>();
      opened.push(place);
      lanes.set(entry.lane, opened);
      become(place);
    },
    wake(id) {
      const place = places.get(id);
      if (!place || !isHead(place)) return;
      if (place.stage === "resting") makeReady(place);
      else place.woken = place.stage === "flying";
    },
    take() {
      while (inFlight < mostInFlight) {
        const queue = round.shift();
        if (!queue) return undefined;
        queue.listed = false;
        let place = queue.ready.shift();
        while (place?.stage === "gone") place = queue.ready.shift();
        if (!place) continue;
        ready -= 1;
        inFlight += 1;
        queue.flying += 1;
        place.stage = "flying";
        list(queue);
        return place.entry;
      }
      return undefined;
    },
    land(entry) {
      inFlight -= 1;
      const place = places.get(entry.id);
      if (place?.entry === entry) {
        place.stage = "resting";
        if (place.woken) makeReady(place);
      }
      const queue = targets.get(entry.target);
      if (!queue) return;
      queue.flying -= 1;
      if (queue.flying === 0 && queue.ready.size === 0) targets.delete(entry.target);
      else list(queue);
    },
    leave(entry) {
      const place = places.get(entry.id);
      if (place?.entry !== entry) return;
      places.delete(entry.id);
      if (place.stage === "ready") ready -= 1;
      place.stage = "gone";
      const lane = lanes.get(entry.lane);
      lane?.shift();
      const next = lane?.first;
      if (next) become(next);
      else lanes.delete(entry.lane);
    },
  };
}
