/** Times as policy states carry them: seven decimals and Z. */

/** Writes instants; the text of a second is kept, because neighbours in a page share it. */
export function timestampWriter(): (milliseconds: number, ticks: number) => string {
  let second = Number.NaN;
  let text = "";
  return (milliseconds, ticks) => {
    const now = Math.floor(milliseconds / 1000);
    if (now !== second) {
      second = now;
      text = new Date(now * 1000).toISOString().slice(0, 20);
    }
    const fraction = (milliseconds - now * 1000) * 10_000 + ticks;
    return `${text}${String(fraction).padStart(7, "0")}Z`;
  };
}

/** `2021-07-01 00:00:00Z`, as `queryResultsUri` carries it. */
export function spacedSeconds(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
