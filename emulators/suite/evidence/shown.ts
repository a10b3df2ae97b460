/** What the emulators' control APIs show of what happened, as far as evidence reads it. */
import type { Member } from "../member.ts";

/** A journal entry. */
export type Shown = Readonly<Record<string, unknown>>;

export interface JournalPage {
  readonly last: number;
  /** Of those that somebody holds the journal for. */
  readonly lost: number;
  readonly epoch: string;
  readonly entries: readonly Shown[];
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/**
 * Addresses by which clients reached the services, replaced by names: ports differ from run to run. Longest first, so
 * that one port is never taken for the beginning of another.
 */
export function namesForAddresses(members: readonly Member[]): (text: string) => string {
  const names = new Map<string, string>();
  for (const { name, addresses } of members)
    for (const { name: surface, host, port, scheme } of addresses) {
      const main = addresses[0]?.name === surface;
      for (const at of new Set([host, "127.0.0.1", "localhost"]))
        names.set(
          `${at}:${port}`,
          `${main ? name : `${name}-${surface}`}${scheme === "https" ? "-tls" : ""}.backlot.test`,
        );
    }
  if (names.size === 0) return (text) => text;
  const pattern = new RegExp(
    `(${[...names.keys()].map((at) => at.replaceAll(".", "\\.").replace(":", "(?::|%3A|%3a)")).join("|")})(?!\\d)`,
    "g",
  );
  const hosts = [...new Set([...names.keys()].map((at) => at.replace(/:\d+$/, "")))];
  /** Values of headers, which come again and again. */
  const known = new Map<string, string>();
  return (text) => {
    const before = text.length < 200 ? known.get(text) : undefined;
    if (before !== undefined) return before;
    const placed = hosts.some((host) => text.includes(host))
      ? text.replace(pattern, (found) => names.get(decodeURIComponent(found)) ?? found)
      : text;
    if (text.length < 200 && known.size < 20_000) known.set(text, placed);
    return placed;
  };
}
