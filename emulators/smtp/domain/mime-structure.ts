import { headerValue } from "./headers.ts";
import { boundaryOf } from "./mailhog-mime.ts";

/** A part without parts of its own, by its place in the tree. */
export interface Leaf {
  /** `0` for a message without parts, else `2`, `1.2`: which child of which multipart. */
  readonly partId: string;
  readonly contentType: string;
  readonly disposition: string;
  readonly transferEncoding: string;
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
  let problem: string | undefined;
  const enter = (from: number, partId: string) => {
    const section = data.slice(from, endOfHeader(data, from));
    const type = headerValue(section, "content-type") ?? "text/plain";
    const boundary = /^\s*multipart\//i.test(type) ? boundaryOf(type) : undefined;
    if (boundary !== undefined && open.length < deepest) open.push({ boundary, partId, children: 0 });
    else {
      if (boundary !== undefined) problem ??= `parts are nested deeper than ${deepest}`;
      leaves.push(leafOf(section, type, partId));
    }
  };
  enter(0, "0");
  for (let at = nextDashes(data, 0); at !== -1 && open.length > 0; at = nextDashes(data, at + 2)) {
    const end = data.indexOf("\n", at);
    const line = data.slice(at + 2, end === -1 ? undefined : end).trimEnd();
    const level = open.findLastIndex(({ boundary }) => line === boundary || line === `${boundary}--`);
    const parent = open[level];
    if (parent === undefined) continue;
    open.length = line === parent.boundary ? level + 1 : level;
    if (line !== parent.boundary || end === -1) continue;
    if (leaves.length >= mostParts) return { leaves, problem: `it has more than ${mostParts} parts` };
    parent.children += 1;
    enter(end + 1, parent.partId === "0" ? String(parent.children) : `${parent.partId}.${parent.children}`);
  }
  return { leaves, problem };
}

function leafOf(section: string, type: string, partId: string): Leaf {
  return {
    partId,
    contentType: (type.split(";", 1)[0] ?? "").trim().toLowerCase(),
    disposition: (headerValue(section, "content-disposition") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "",
    transferEncoding: (headerValue(section, "content-transfer-encoding") ?? "7bit").toLowerCase(),
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
