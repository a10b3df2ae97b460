/** A page of a list in both of Twilio's envelopes: that of the 2010 API, and that of every product API, under `meta`. */
import { spacedJson } from "./json.ts";
import { xmlAttributes, xmlElement, xmlEnvelope } from "./xml.ts";

/** What surrounds the records. Links are paths with their query, without host or prefix. */
export interface PageFrame {
  readonly page: number;
  readonly pageSize: number;
  readonly start: number;
  readonly end: number;
  readonly self: string;
  readonly first: string;
  readonly previous: string | null;
  readonly next: string | null;
}

export type Record2010 = Readonly<Record<string, unknown>>;

export function page2010(frame: PageFrame, list: string, records: readonly Record2010[]): string {
  return spacedJson({
    first_page_uri: frame.first,
    end: frame.end,
    previous_page_uri: frame.previous,
    [list]: records,
    uri: frame.self,
    page_size: frame.pageSize,
    start: frame.start,
    next_page_uri: frame.next,
    page: frame.page,
  });
}

/** `list` names the outer element, `element` each record. */
export function page2010Xml(frame: PageFrame, list: string, element: string, records: readonly Record2010[]): string {
  const outer = list.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
  const attributes = xmlAttributes({
    end: frame.end,
    firstpageuri: frame.first,
    nextpageuri: frame.next,
    page: frame.page,
    pagesize: frame.pageSize,
    previouspageuri: frame.previous,
    start: frame.start,
    uri: frame.self,
  });
  return xmlEnvelope(
    `<${outer}${attributes}>${records.map((record) => xmlElement(element, record)).join("")}</${outer}>`,
  );
}

/** `base` is the product's own address, `https://verify.twilio.com`. */
export function productPage(frame: PageFrame, base: string, key: string, records: readonly Record2010[]): string {
  const link = (path: string | null) => (path === null ? null : base + path);
  return JSON.stringify({
    meta: {
      page: frame.page,
      page_size: frame.pageSize,
      first_page_url: link(frame.first),
      previous_page_url: link(frame.previous),
      url: link(frame.self),
      next_page_url: link(frame.next),
      key,
    },
    [key]: records,
  });
}
