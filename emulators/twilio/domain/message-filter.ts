/** The filters and the paging of `GET Messages`, and the links that repeat them. */
import type { Problem } from "../errors.ts";
import { normalisePhone } from "./phone-numbers.ts";

export interface MessageFilter {
  readonly to?: string;
  readonly from?: string;
  readonly sentFrom?: number;
  readonly sentBefore?: number;
  readonly page: number;
  readonly pageSize: number;
  readonly token: { readonly direction: "older" | "newer"; readonly sid: string } | undefined;
  /** The filters as they came, encoded, for links: empty or ending in `&`. */
  readonly repeated: string;
}

export type ParsedFilter =
  | { readonly tag: "filter"; readonly filter: MessageFilter }
  | { readonly tag: "rejected"; readonly problem: Problem };

const defaultPageSize = 50;
const largestPageSize = 1_000;
const dayMs = 86_400_000;
const repeatedNames = ["To", "From", "DateSent", "DateSent<", "DateSent>"] as const;

export function parseMessageFilter(query: URLSearchParams): ParsedFilter {
  const pageToken = query.get("PageToken");
  const token = pageToken === null ? undefined : parseToken(pageToken);
  if (pageToken !== null && !token)
    return { tag: "rejected", problem: { name: "invalidPageToken", values: [pageToken] } };
  let sentFrom: number | undefined;
  let sentBefore: number | undefined;
  for (const name of ["DateSent", "DateSent<", "DateSent>"] as const) {
    const value = given(query, name);
    if (value === undefined) continue;
    const span = spanOf(value);
    if (!span) return { tag: "rejected", problem: { name: "invalidParameter", values: [name, value] } };
    // A bare `DateSent` means a day, also where SDKs turn the day into its first instant. Both comparisons include.
    const day = Math.floor(span.from / dayMs) * dayMs;
    const [from, before] = name === "DateSent" ? [day, day + dayMs] : [span.from, span.before];
    if (name !== "DateSent<") sentFrom = Math.max(sentFrom ?? from, from);
    if (name !== "DateSent>") sentBefore = Math.min(sentBefore ?? before, before);
  }
  const to = given(query, "To");
  const from = given(query, "From");
  return {
    tag: "filter",
    filter: {
      ...(to === undefined ? {} : { to: normalisePhone(to) ?? to }),
      ...(from === undefined ? {} : { from: normalisePhone(from) ?? from }),
      ...(sentFrom === undefined ? {} : { sentFrom }),
      ...(sentBefore === undefined ? {} : { sentBefore }),
      page: whole(query.get("Page"), 0, Number.MAX_SAFE_INTEGER / largestPageSize, 0),
      pageSize: Math.min(whole(query.get("PageSize"), 1, Number.MAX_SAFE_INTEGER, defaultPageSize), largestPageSize),
      token,
      repeated: repeat(query),
    },
  };
}

/** Filters, page size, page and token: the query of every link of a list. */
export function pageQuery(filter: MessageFilter, page: number, token?: string): string {
  const end = token === undefined ? "" : `&PageToken=${token}`;
  return `${filter.repeated}PageSize=${filter.pageSize}&Page=${page}${end}`;
}

export function tokenText(direction: "older" | "newer", sid: string): string {
  return `${direction === "older" ? "PA" : "PB"}${sid}`;
}

function parseToken(text: string): MessageFilter["token"] {
  const match = /^P([AB])([A-Z]{2}[0-9a-f]{32})$/.exec(text);
  return match ? { direction: match[1] === "A" ? "older" : "newer", sid: match[2] ?? "" } : undefined;
}

function given(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}

function repeat(query: URLSearchParams): string {
  let text = "";
  for (const name of repeatedNames) {
    const value = given(query, name);
    if (value !== undefined) text += `${encodeURIComponent(name)}=${encodeURIComponent(value)}&`;
  }
  return text;
}

/** What a date or an instant covers: a day in UTC, or one second. */
function spanOf(text: string): { readonly from: number; readonly before: number } | undefined {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  if (!isDay && !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) return undefined;
  const instant = Date.parse(isDay ? `${text}T00:00:00Z` : /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(instant)) return undefined;
  const from = Math.floor(instant / 1_000) * 1_000;
  return { from, before: from + (isDay ? dayMs : 1_000) };
}

function whole(text: string | null, least: number, most: number, fallback: number): number {
  const value = text !== null && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : fallback;
}
