import { headerValue } from "./headers.ts";
import { boundaryOf } from "./mailhog-mime.ts";

/** A part without parts of its own, by its place in the tree. */
export interface Leaf {
  /** `0` for a message without parts, else `2`, `1.2`: which child of which multipart. */
  readonly partId: string;
  readonly contentType: string;
  readonly disposition: string;
  /** Lower case; empty when the part does not say. */
  readonly transferEncoding: string;
  /** Where its body is, still encoded: from this byte of the message up to `end`, the line end before a boundary left out. */
  readonly start: number;
  readonly end: number;
}

export interface Structure {
  readonly leaves: readonly Leaf[];
  /** Why the tree was not walked to its end. */
  readonly problem: string | undefined;
}

/** Far beyond what people send; each part costs a reader memory of its own. */
const mostParts = 1_000;
const deepest = 50;
const longestHeader = 65_536;

type Unfinished = Omit<Leaf, "end">;

interface Open {
  readonly boundary: string;
  readonly partId: string;
  children: number;
}

/**
 * The tree of parts without their content: only lines that begin with two dashes are looked at. `data` has one character
 * per byte.
 */
export function structureOf(data: string): Structure {
  const leaves: Leaf[] = [];
  const open: Open[] = [];
  let current: Unfinished | undefined;
  let problem: string | undefined;
  const leave = (end: number) => {
    if (current !== undefined) leaves.push({ ...current, end: Math.max(current.start, end) });
    current = undefined;
  };
  const enter = (from: number, partId: string) => {
    const endOfSection = endOfHeader(data, from);
    const section = data.slice(from, endOfSection);
    const type = headerValue(section, "content-type") ?? "text/plain";
    const boundary = /^\s*multipart\//i.test(type) ? boundaryOf(type) : undefined;
    if (boundary !== undefined && open.length < deepest) open.push({ boundary, partId, children: 0 });
    else {
      if (boundary !== undefined) problem ??= `parts are nested deeper than ${deepest}`;
      current = leafOf(section, type, partId, startOfBody(data, from, endOfSection));
    }
  };
  enter(0, "0");
  for (let at = nextDashes(data, 0); at !== -1 && open.length > 0; at = nextDashes(data, at + 2)) {
    const end = data.indexOf("\n", at);
    const line = data.slice(at + 2, end === -1 ? undefined : end).trimEnd();
    const level = open.findLastIndex(({ boundary }) => line === boundary || line === `${boundary}--`);
    const parent = open[level];
    if (parent === undefined) continue;
    leave(beforeLineEnd(data, at));
    open.length = line === parent.boundary ? level + 1 : level;
    if (line !== parent.boundary || end === -1) continue;
    if (leaves.length >= mostParts) return { leaves, problem: `it has more than ${mostParts} parts` };
    parent.children += 1;
    enter(end + 1, parent.partId === "0" ? String(parent.children) : `${parent.partId}.${parent.children}`);
  }
  leave(data.length);
  return { leaves, problem };
}

function leafOf(section: string, type: string, partId: string, start: number): Unfinished {
  return {
    partId,
    contentType: (type.split(";", 1)[0] ?? "").trim().toLowerCase(),
    disposition: (headerValue(section, "content-disposition") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "",
    transferEncoding: (headerValue(section, "content-transfer-encoding") ?? "").toLowerCase(),
    start,
  };
}

/** Where the next line that begins with `--` does so. */
function nextDashes(data: string, from: number): number {
  if (from === 0 && data.startsWith("--")) return 0;
  const found = data.indexOf("\n--", Math.max(0, from - 1));
  return found === -1 ? -1 : found + 1;
}

function endOfHeader(data: string, from: number): number {
  const limit = Math.min(data.length, from + longestHeader);
  if (data.startsWith("\r\n", from) || data.startsWith("\n", from)) return from;
  const ends = [data.indexOf("\r\n\r\n", from), data.indexOf("\n\n", from)].filter((at) => at !== -1);
  return Math.min(limit, ...ends);
}

/** Behind the blank line that ends a header of which `end` is the end. */
function startOfBody(data: string, from: number, end: number): number {
  const blank = end === from ? /\r?\n|/y : /(?:\r?\n){0,2}/y;
  blank.lastIndex = end;
  return end + (blank.exec(data)?.[0].length ?? 0);
}

/** RFC 2046 5.1.1: the line end before a boundary belongs to the boundary. */
function beforeLineEnd(data: string, at: number): number {
  if (data[at - 1] !== "\n") return at;
  return data[at - 2] === "\r" ? at - 2 : at - 1;
}
