/** Where a list is being read: page number, size and the token that survives inserts and removals. */
import type { Problem } from "../errors.ts";

export interface PageToken {
  /** `PA`: the records after this one, older; `PB`: those before it, newer. */
  readonly direction: "older" | "newer";
  readonly sid: string;
}

export interface PageRequest {
  readonly page: number;
  readonly pageSize: number;
  readonly token: PageToken | undefined;
  /** The filters as they came, encoded, for links: empty or ending in `&`. */
  readonly repeated: string;
}

const defaultPageSize = 50;
const largestPageSize = 1_000;

/** `filters` are the query parameters that links repeat. A size past the largest is taken as the largest. */
export function readPageRequest(query: URLSearchParams, filters: readonly string[]): PageRequest | Problem {
  const pageToken = query.get("PageToken");
  const token = pageToken === null ? undefined : parsePageToken(pageToken);
  if (pageToken !== null && !token) return { name: "invalidPageToken", values: [pageToken] };
  return {
    page: whole(query.get("Page"), 0, Number.MAX_SAFE_INTEGER / largestPageSize, 0),
    pageSize: Math.min(whole(query.get("PageSize"), 1, Number.MAX_SAFE_INTEGER, defaultPageSize), largestPageSize),
    token,
    repeated: repeated(query, filters),
  };
}

/** Filters, page size, page and token: the query of every link of a list. */
export function pageQuery(request: PageRequest, page: number, token?: PageToken): string {
  const end = token === undefined ? "" : `&PageToken=${tokenText(token)}`;
  return `${request.repeated}PageSize=${request.pageSize}&Page=${page}${end}`;
}

export function tokenText({ direction, sid }: PageToken): string {
  return `${direction === "older" ? "PA" : "PB"}${sid}`;
}

function parsePageToken(text: string): PageToken | undefined {
  const match = /^P([AB])([A-Z]{2}[0-9a-fA-F]{32})$/.exec(text);
  return match ? { direction: match[1] === "A" ? "older" : "newer", sid: match[2] ?? "" } : undefined;
}

function repeated(query: URLSearchParams, filters: readonly string[]): string {
  let text = "";
  for (const name of filters)
    for (const value of query.getAll(name))
      if (value !== "") text += `${encodeURIComponent(name)}=${encodeURIComponent(value)}&`;
  return text;
}

function whole(text: string | null, least: number, most: number, fallback: number): number {
  if (text === null || !/^\d+$/.test(text)) return fallback;
  const value = Number(text);
  return value >= least && value <= most ? value : value > most ? most : fallback;
}

const dayMs = 86_400_000;

/** What a date or an instant covers: a day in UTC, or one second. Undefined when it is neither. */
export function spanOf(text: string): { readonly from: number; readonly before: number } | undefined {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  if (!isDay && !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) return undefined;
  const instant = Date.parse(isDay ? `${text}T00:00:00Z` : /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(instant) ? undefined : { from: instant, before: instant + (isDay ? dayMs : 1_000) };
}

/** Whether `instant` lies where `name`, `name<` and `name>` of the query ask; both comparisons include their day. */
export function isWithin(query: URLSearchParams, name: string, instant: number | null): boolean {
  for (const sign of ["", "<", ">"] as const) {
    const value = query.get(`${name}${sign}`);
    if (!value) continue;
    const span = spanOf(value);
    if (!span || instant === null) return false;
    const day = Math.floor(span.from / dayMs) * dayMs;
    const [from, before] = sign === "" ? [day, day + dayMs] : [span.from, span.before];
    if (sign !== "<" && instant < from) return false;
    if (sign !== ">" && instant >= before) return false;
  }
  return true;
}
