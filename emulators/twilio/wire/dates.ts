const twoDigits: readonly string[] = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));
const dayMs = 86_400_000;
/** The day asked for last: the instants of a list mostly share it. */
let [day, date] = [Number.NaN, ""];

/** RFC 2822 as the 2010 API writes it: `Thu, 24 Aug 2023 05:01:45 +0000`. */
export function rfc2822(instant: number): string {
  const today = Math.floor(instant / dayMs);
  if (today !== day) [day, date] = [today, new Date(instant).toUTCString().slice(0, 16)];
  const seconds = Math.floor((instant - today * dayMs) / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return `${date} ${twoDigits[hours]}:${twoDigits[minutes - hours * 60]}:${twoDigits[seconds - minutes * 60]} +0000`;
}

/** As product APIs write it, without milliseconds, which Python's SDK cannot read: `2015-07-30T20:12:31Z`. */
export function iso(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`;
}
