/**
 * Walks the records of many pools newest first without generating more than the page needs. The walk goes back through
 * slices of time; in each slice the records of the selected series are gathered and sorted, then handed out.
 *
 * A record is in the answer when it is not later than the end and its successor is later than the start: that is every
 * change in (start, end], and of each pool the last record at or before the start with its own, older, instant.
 */
import type { Market } from "./market.ts";
import { repeatSeconds, segmentSeconds } from "./price-path.ts";

/** Where the page before ended: the last record handed out or looked at. */
export interface Cursor {
  readonly at: number;
  readonly pool: number;
}

export interface Selection {
  /** Ascending. */
  readonly series: Uint32Array;
  /** By product number. */
  readonly products: readonly boolean[];
}

export interface Walk {
  /** Seconds; both clamped by the caller to what exists. */
  readonly start: number;
  readonly end: number;
  readonly after: Cursor | undefined;
  readonly limit: number;
  readonly selection: Selection;
  /** Judges one record; absent takes all. */
  readonly accepts?: (ticks: number, at: number) => boolean;
  /** Receives the page, in order. */
  readonly take: (type: number, zone: number, product: number, ticks: number, at: number) => void;
}

export interface History {
  /** Answers where to go on, or undefined when the walk reached the end. */
  page(walk: Walk): Cursor | undefined;
}

/** Records of a slice, oldest first. */
interface Slice {
  readonly series: Uint32Array;
  readonly times: Uint32Array;
  readonly ticks: Uint32Array;
  /** When each record's successor was published. */
  readonly nexts: Uint32Array;
}

/** Gathering costs by series more than by record, so a slice is long: about ten pages of us-east-1. */
const regionSliceSeconds = 12 * 3_600;
const mostSlices = 24;
type Part = "linux" | "windows" | "all";
/** Records looked at for one page; a page of a filter that accepts almost nothing then ends early, with a token. */
const mostVisited = 100_000;

export function createHistory(market: Market): History {
  // Bounded, and only a cache: a slice is the same whenever it is made.
  const slices = new Map<string, Slice>();
  const parts: Record<Part, Uint32Array> = {
    linux: market.series.filter((one) => !market.isWindows(one)),
    windows: market.series.filter((one) => market.isWindows(one)),
    all: market.series,
  };

  const kept = (key: string, make: () => Slice): Slice => {
    const found = slices.get(key);
    if (found) return found;
    const made = make();
    if (slices.size >= mostSlices)
      for (const oldest of slices.keys()) {
        slices.delete(oldest);
        break;
      }
    slices.set(key, made);
    return made;
  };
  const regionSlice = (part: Part, index: number): Slice =>
    kept(`${part} ${index}`, () =>
      gather(market, parts[part], index * regionSliceSeconds, (index + 1) * regionSliceSeconds),
    );
  /** Of one instant: how clients read current prices. Kept for the pages that follow. */
  const regionNow = (part: Part, at: number): Slice =>
    kept(`${part} at ${at}`, () => gatherCurrent(market, parts[part], at));

  return {
    page(walk) {
      const { series, products } = walk.selection;
      if (series.length === 0) return undefined;
      const part: Part = products[3] !== true ? "linux" : products.slice(0, 3).includes(true) ? "all" : "windows";
      const shared = series.length * 4 >= market.series.length;
      const length = shared ? regionSliceSeconds : sliceLength(series.length, walk.limit);
      const member = shared && series.length < market.series.length ? membership(market, series) : undefined;
      const earliest = Math.max(0, walk.start - repeatSeconds - 1);
      const first = Math.floor((walk.after?.at ?? walk.end) / length);
      const pager = createPager(market, walk, member);
      if (walk.start === walk.end) {
        const slice = shared ? regionNow(part, walk.end) : gatherCurrent(market, series, walk.end);
        return pager.consume(slice) ? undefined : pager.cursor;
      }
      for (let index = first; (index + 1) * length > earliest; index -= 1) {
        const slice = shared ? regionSlice(part, index) : gather(market, series, index * length, (index + 1) * length);
        if (!pager.consume(slice)) return pager.cursor;
      }
      return undefined;
    },
  };
}

/** Long enough for about a page at the usual two records a day of each series. */
function sliceLength(series: number, limit: number): number {
  const seconds = Math.ceil((limit / (series * 2)) * 86_400);
  return Math.min(segmentSeconds, Math.max(3_600, seconds));
}

function membership(market: Market, series: Uint32Array): Uint8Array {
  const member = new Uint8Array(market.size);
  for (const one of series) member[one] = 1;
  return member;
}

function createPager(market: Market, walk: Walk, member: Uint8Array | undefined) {
  const { start, end, limit, accepts, take, after } = walk;
  const wanted = walk.selection.products;
  let at = after?.at ?? Number.POSITIVE_INFINITY;
  let pool = after?.pool ?? -1;
  let taken = 0;
  let visited = 0;
  return {
    get cursor(): Cursor {
      return { at, pool };
    },
    /** False when the page is full and more follows. */
    consume(slice: Slice): boolean {
      for (let index = slice.times.length - 1; index >= 0; index -= 1) {
        const time = slice.times[index] ?? 0;
        if (time > end || time > at || (slice.nexts[index] ?? 0) <= start) continue;
        const series = slice.series[index] ?? 0;
        if (member !== undefined && member[series] !== 1) continue;
        const type = market.typeOf(series);
        const zone = market.zoneOf(series);
        const last = market.isWindows(series) ? 3 : 2;
        for (let product = last === 3 ? 3 : 0; product <= last; product += 1) {
          const number = series * 4 + product;
          if (wanted[product] !== true || (time === at && number <= pool)) continue;
          if (visited >= mostVisited) return false;
          const ticks = market.priceOf(type, product, slice.ticks[index] ?? 0);
          if (accepts === undefined || accepts(ticks, time)) {
            if (taken === limit) return false;
            take(type, zone, product, ticks, time);
            taken += 1;
          }
          visited += 1;
          at = time;
          pool = number;
        }
      }
      return true;
    },
  };
}

/** Columns that grow, in the order of gathering; `place` among them is the tail of a sortable key. */
interface Gathered {
  add(series: number, time: number, ticks: number, next: number): void;
  /** In order of time and, at one instant, of descending series: series are to be added in ascending order. */
  sorted(): Slice;
}

/** What a place among gathered records stays below; with an instant of this century it fits a float's 53 bits. */
const placeLimit = 2 ** 21;

function gathered(expected: number): Gathered {
  let room = Math.max(64, expected);
  let keys = new Float64Array(room);
  let [series, ticks, nexts] = [new Uint32Array(room), new Uint32Array(room), new Uint32Array(room)];
  let count = 0;
  const grow = () => {
    room *= 2;
    const longer = new Float64Array(room);
    longer.set(keys);
    keys = longer;
    [series, ticks, nexts] = [series, ticks, nexts].map((column) => {
      const wider = new Uint32Array(room);
      wider.set(column);
      return wider;
    }) as [typeof series, typeof ticks, typeof nexts];
  };
  return {
    add(one, time, price, next) {
      if (count === room) grow();
      keys[count] = time * placeLimit + (placeLimit - 1 - count);
      series[count] = one;
      ticks[count] = price;
      nexts[count] = next;
      count += 1;
    },
    sorted() {
      const order = keys.subarray(0, count).sort();
      const slice: Slice = {
        series: new Uint32Array(count),
        times: new Uint32Array(count),
        ticks: new Uint32Array(count),
        nexts: new Uint32Array(count),
      };
      for (let index = 0; index < count; index += 1) {
        const key = order[index] ?? 0;
        const time = Math.floor(key / placeLimit);
        const place = placeLimit - 1 - (key - time * placeLimit);
        slice.series[index] = series[place] ?? 0;
        slice.times[index] = time;
        slice.ticks[index] = ticks[place] ?? 0;
        slice.nexts[index] = nexts[place] ?? 0;
      }
      return slice;
    },
  };
}

/** Records of these series in [from, to). */
function gather(market: Market, series: Uint32Array, from: number, to: number): Slice {
  const { segments } = market;
  const { times, ticks } = segments.records;
  const found = gathered(series.length * 2);
  for (const one of series) {
    for (let at = from; at < to; ) {
      const first = segments.at(one, at);
      const keyframe = times[first] ?? 0;
      let next = keyframe + segmentSeconds;
      at = next;
      for (let place = segments.end(first) - 1; place >= first; place -= 1) {
        const time = times[place] ?? 0;
        if (time < from) break;
        if (time < to) found.add(one, time, ticks[place] ?? 0, next);
        next = time;
      }
    }
  }
  return found.sorted();
}

/** Of each series the record that holds at an instant. */
function gatherCurrent(market: Market, series: Uint32Array, at: number): Slice {
  const found = gathered(series.length);
  for (const one of series) {
    const { time, ticks, next } = market.segments.current(one, at);
    found.add(one, time, ticks, next);
  }
  return found.sorted();
}
