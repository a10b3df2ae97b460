import { type Bits, setBit } from "./bits.ts";
import { lastNotAfter } from "./word-stream.ts";

/** One field of many messages in a row: one search of a long string is faster than many of short ones. */
export interface FieldColumn {
  text: string;
  /** Where each message's begins, and where one more would. */
  readonly starts: Uint32Array;
  count: number;
}

export function createColumn(most: number): FieldColumn {
  return { text: "", starts: new Uint32Array(most + 1), count: 0 };
}

export function addField(column: FieldColumn, text: string): void {
  column.text += text;
  column.count += 1;
  column.starts[column.count] = column.text.length;
}

/** Marks messages whose field has `wanted`. */
export function markField({ text, starts, count }: FieldColumn, wanted: string, found: Bits): void {
  for (let at = text.indexOf(wanted); at !== -1; ) {
    const message = lastNotAfter(starts, at, count);
    const end = starts[message + 1] ?? 0;
    const whole = at + wanted.length <= end; // else it reaches into the next message's
    if (whole) setBit(found, message);
    at = text.indexOf(wanted, whole ? end : at + 1);
  }
}
