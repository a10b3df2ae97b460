/** Instants as text. */

const twoDigits: readonly string[] = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));

/** Formats seconds as `2026-11-20T10:11:12.000Z`; remembers the day, since neighbours mostly share it. */
export function timestampFormat(): (seconds: number) => string {
  let day = -1;
  let text = "";
  return (seconds) => {
    const today = Math.floor(seconds / 86_400);
    if (today !== day) {
      day = today;
      text = new Date(today * 86_400_000).toISOString().slice(0, 11);
    }
    const rest = seconds - today * 86_400;
    const hour = Math.floor(rest / 3_600);
    const minute = Math.floor((rest - hour * 3_600) / 60);
    return `${text}${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[rest % 60]}.000Z`;
  };
}

/** `Fri Nov 20 22:55:09 UTC 2026`: the form EC2 documents for its timestamp filter. */
export function longTimestamp(seconds: number): string {
  const [weekday = "", day = "", month = "", year = "", time = ""] = new Date(seconds * 1000).toUTCString().split(" ");
  return `${weekday.replace(",", "")} ${month} ${day} ${time} UTC ${year}`;
}

/** Milliseconds since 1970 as `2026-11-20T10:11:12.000Z`: EC2 writes whole seconds. */
export function instantText(at: number): string {
  return new Date(Math.floor(at / 1000) * 1000).toISOString();
}
