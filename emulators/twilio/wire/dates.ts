/** RFC 2822 as the 2010 API writes it: `Thu, 24 Aug 2023 05:01:45 +0000`. */
export function rfc2822(instant: number): string {
  return `${new Date(instant).toUTCString().slice(0, -3)}+0000`;
}
