/** RFC 2822 as the 2010 API writes it: `Thu, 24 Aug 2023 05:01:45 +0000`. */
export function rfc2822(instant: number): string {
  return `${new Date(instant).toUTCString().slice(0, -3)}+0000`;
}

/** As product APIs write it, without milliseconds, which Python's SDK cannot read: `2015-07-30T20:12:31Z`. */
export function iso(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`;
}
