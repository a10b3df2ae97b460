/** Values as people read them. */

/** `14:03:05.120`, in the virtual clock's UTC. */
export function timeOfDay(iso: string): string {
  return iso.slice(11, 23);
}

/** `2026-01-05 14:03:05`; `local` also gives the reader's own time, for a title. */
export function instant(iso: string | null | undefined): string {
  return iso ? `${iso.slice(0, 10)} ${iso.slice(11, 19)}` : "–";
}

/** Without a locale, of which the first use takes a page 15 ms. */
export function local(iso: string): string {
  return Number.isNaN(Date.parse(iso)) ? iso : `${iso} (here: ${instant(here(iso))})`;
}

/** The reader's own time, written as if it were UTC. */
export function here(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString();
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${(ms / 3_600_000).toFixed(1)} h`;
  return `${(ms / 86_400_000).toFixed(1)} d`;
}

export function size(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_048_576) return `${(bytes / 1_024).toFixed(1)} KB`;
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}

/** A price on an axis, with as many digits as tell its marks apart. */
export function dollars(value: number, span: number): string {
  const digits = Math.max(2, Math.min(4, Math.ceil(1.4 - Math.log10(span))));
  return `$${value.toFixed(digits)}`;
}

/** `10,000`. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** What a list shows of what there is. */
export function newestOf(shown: number, total: number): string {
  return shown < total ? `${count(shown)} newest of ${count(total)}` : count(total);
}

/** JSON with indents where it is JSON, else the text itself. */
export function pretty(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
