import { type Bits, setBit } from "./bits.ts";
import { messageAt } from "./places.ts";

/** One field of many messages in a row: one search of a long string is faster than many of short ones. */
export interface FieldColumn {
  text: string;
  /** What was added since `text` was put together. */
  parts: string[];
  length: number;
  /** Where each message's begins, and where one more would. */
  readonly starts: Uint32Array;
  count: number;
}

export function createColumn(most: number): FieldColumn {
  return { text: "", parts: [], length: 0, starts: new Uint32Array(most + 1), count: 0 };
}

export function addField(column: FieldColumn, text: string): void {
  if (text !== "") column.parts.push(text);
  column.length += text.length;
  column.count += 1;
  column.starts[column.count] = column.length;
}

/** The field of all messages as one string, not as a tree of its parts, which takes many times the room. */
export function columnText(column: FieldColumn): string {
  if (column.parts.length > 0) column.text = [column.text, ...column.parts].join("");
  column.parts = [];
  return column.text;
}

/** Marks messages whose field has `wanted`. */
export function markField(column: FieldColumn, wanted: string, found: Bits): void {
  const text = columnText(column);
  let message = 0;
  for (let at = text.indexOf(wanted); at !== -1; ) {
    message = messageAt(column, at, message);
    const end = column.starts[message + 1] ?? 0;
    const whole = at + wanted.length <= end; // else it reaches into the next message's
    if (whole) setBit(found, message);
    at = text.indexOf(wanted, whole ? end : at + 1);
  }
}
