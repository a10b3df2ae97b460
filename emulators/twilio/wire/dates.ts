/** RFC 2822 as the 2010 API writes it: `Thu, 24 Aug 2023 05:01:45 +0000`. */
export function rfc2822(instant: number): string {
  return `${new Date(instant).toUTCString().slice(0, -3)}+0000`;
}

/** `rfc2822` for many instants of about the same time: the text of a second is made once. */
export function rfc2822Writer(): (instant: number) => string {
  let second = Number.NaN;
  let text = "";
  return (instant) => {
    const asked = Math.floor(instant / 1000);
    if (asked !== second) {
      second = asked;
      text = rfc2822(instant);
    }
    return text;
  };
}

/** As product APIs write it, without milliseconds, which Python's SDK cannot read: `2015-07-30T20:12:31Z`. */
export function iso(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`;
}
