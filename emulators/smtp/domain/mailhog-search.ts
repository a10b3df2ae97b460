import { headerSection } from "./headers.ts";
import { readHeaders } from "./mailhog-mime.ts";
import type { Message } from "./message.ts";

export type SearchKind = "from" | "to" | "containing";

export function isSearchKind(word: string): word is SearchKind {
  return word === "from" || word === "to" || word === "containing";
}

/**
 * MailHog's search: a substring in any case. `to` and `from` look at the envelope, then at the header of that exact
 * spelling; `containing` looks at the undecoded body, then at every header value.
 */
export function matches(kind: SearchKind, query: string): (message: Message) => boolean {
  const wanted = query.toLowerCase();
  const has = (value: string) => value.toLowerCase().includes(wanted);
  const headerHas = (message: Message, name: string) =>
    headersOf(message)[name]?.some((value) => has(utf8(value))) ?? false;
  switch (kind) {
    case "from":
      return (message) => has(message.mailFrom) || headerHas(message, "From");
    case "to":
      return (message) => message.recipients.some(({ address }) => has(address)) || headerHas(message, "To");
    case "containing":
      return (message) => {
        const end = message.raw.indexOf("\r\n\r\n");
        if (has(message.raw.toString("utf8", end === -1 ? 0 : end + 4))) return true;
        return Object.values(headersOf(message)).some((values) => values.some((value) => has(utf8(value))));
      };
  }
}

function headersOf(message: Message): Record<string, string[]> {
  return readHeaders(headerSection(message.raw));
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
