/** The order in which rows are scanned. */
import type { Estate } from "./estate.ts";

/** Rows of each subscription by the time they are scanned, earliest first; rows that share an instant in reverse. */
export function orderByTime(estate: Estate): Uint32Array {
  const order = new Uint32Array(estate.rows.count);
  for (const { rows } of estate.subscriptions)
    radixSort(order.subarray(rows.first, rows.end), rows.first, estate.rows.offset);
  return order;
}

const digitBits = 11;
const digits = 2 ** digitBits;

/** Fills `into` with the codes [first, first + length), by ascending key; ties by descending code. */
function radixSort(into: Uint32Array, first: number, keys: Uint32Array): void {
  let from = new Uint32Array(into.length);
  for (let index = 0; index < from.length; index += 1) from[index] = first + from.length - 1 - index;
  let to = new Uint32Array(into.length);
  const starts = new Uint32Array(digits + 1);
  for (let shift = 0; shift < 32; shift += digitBits) {
    starts.fill(0);
    for (const code of from) {
      const digit = ((keys[code] ?? 0) >>> shift) & (digits - 1);
      starts[digit + 1] = (starts[digit + 1] ?? 0) + 1;
    }
    for (let digit = 0; digit < digits; digit += 1) starts[digit + 1] = (starts[digit + 1] ?? 0) + (starts[digit] ?? 0);
    for (const code of from) {
      const digit = ((keys[code] ?? 0) >>> shift) & (digits - 1);
      const at = starts[digit] ?? 0;
      to[at] = code;
      starts[digit] = at + 1;
    }
    [from, to] = [to, from];
  }
  into.set(from);
}
