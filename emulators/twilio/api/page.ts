/** Reads one page of any list, in either envelope. */
import { type PageRequest, type PageToken, pageQuery, readPageRequest, tokenText } from "../domain/paging.ts";
import { failure, reject } from "../errors.ts";
import type { Kind, Resource, ResourceQuery } from "../store-resources.ts";
import type { PageFrame } from "../wire/page.ts";
import type { Call } from "./call.ts";

export interface ListSource<T> {
  /** The query parameters that filter, and that links repeat. */
  readonly filters: readonly string[];
  /**
   * Records in the order of the list, from the token on; backwards from it for `newer`. Undefined when the token names
   * nothing.
   */
  each(token: PageToken | undefined): Iterable<T> | undefined;
  keep(record: T): boolean;
  sid(record: T): string;
}

export interface Page<T> {
  readonly records: readonly T[];
  readonly frame: PageFrame;
}

/** `path` is what links begin with: without host and prefix. */
export function readPage<T>(call: Call, path: string, source: ListSource<T>): Page<T> {
  const request = readPageRequest(call.query, source.filters);
  if ("name" in request) throw failure(request);
  const { page, pageSize, token } = request;
  const backward = token?.direction === "newer";
  const rows = take(source, request);
  const more = rows.length > pageSize;
  const records = backward ? rows.slice(0, pageSize).reverse() : rows.slice(0, pageSize);
  const [first, last] = [records[0], records[records.length - 1]];
  const link = (number: number, place?: PageToken) => `${path}?${pageQuery(request, number, place)}`;
  const start = page * pageSize;
  const newer = page > 0 && first !== undefined && (!backward || more);
  const older = last !== undefined && (backward || more);
  return {
    records,
    frame: {
      page,
      pageSize,
      start,
      end: Math.max(start, start + records.length - 1),
      self: link(page, token),
      first: link(0),
      previous: newer ? link(page - 1, { direction: "newer", sid: source.sid(first) }) : null,
      next: older ? link(page + 1, { direction: "older", sid: source.sid(last) }) : null,
    },
  };
}

/** One more than the page holds tells whether another page follows. */
function take<T>(source: ListSource<T>, { page, pageSize, token }: PageRequest): T[] {
  const records = source.each(token) ?? reject("invalidPageToken", token ? tokenText(token) : "");
  const rows: T[] = [];
  let skip = token ? 0 : page * pageSize;
  for (const record of records) {
    if (!source.keep(record)) continue;
    if (skip > 0) {
      skip -= 1;
      continue;
    }
    rows.push(record);
    if (rows.length > pageSize) break;
  }
  return rows;
}

const beforeAll = { createdAt: -1, arrival: 0 };

/** The resources of one kind and parent. Of a list that begins with the oldest, `older` names those that follow. */
export function eachOf<Data>(
  { runtime }: Call,
  kind: Kind<Data>,
  query: ResourceQuery,
  oldestFirst: boolean,
): ListSource<Resource<Data>>["each"] {
  return (token) => {
    if (!token) return runtime.state.eachResource(kind, oldestFirst ? { ...query, newerThan: beforeAll } : query);
    const place = runtime.state.placeOfResource(kind, token.sid);
    if (!place) return undefined;
    const downwards = (token.direction === "older") !== oldestFirst;
    return runtime.state.eachResource(kind, { ...query, ...(downwards ? { olderThan: place } : { newerThan: place }) });
  };
}

/** A list that is made for the occasion, in the order in which it is shown. */
export function eachIn<T>(records: readonly T[], sid: (record: T) => string): ListSource<T>["each"] {
  return (token) => {
    if (!token) return records;
    const at = records.findIndex((record) => sid(record) === token.sid);
    if (at < 0) return undefined;
    return token.direction === "older" ? records.slice(at + 1) : records.slice(0, at).reverse();
  };
}
