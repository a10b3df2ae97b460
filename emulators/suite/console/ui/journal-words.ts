/** One line about a journal entry, and how good it is. */
import type { Entry } from "./live.ts";
import type { Tone } from "./parts.tsx";

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

export function summaryOf(entry: Entry): string {
  switch (entry.kind) {
    case "request":
      return `${text(entry.method)} ${pathOf(entry)}`;
    case "session":
      return join([entry.listener, entry.outcome, entry.from, entry.reply]);
    case "change":
      return join([entry.resource, entry.change ?? entry.state ?? entry.status ?? wordOf(entry), entry.subject]);
    case "delivery":
      return join([entry.type, "→", entry.url, entry.detail]);
    case "egress":
      return join([entry.target, entry.reason]);
    case "fault":
      return join([entry.subject, entry.stage, JSON.stringify(entry.action ?? {})]);
    case "incident":
      return text(entry.cause).split("\n")[0] ?? "";
    case "control":
      return join([...ownFacts(entry), entry.subject]);
    default:
      return join([entry.subject, ...ownFacts(entry)]);
  }
}

export function outcomeOf(entry: Entry): { readonly text: string; readonly tone: Tone } {
  if (entry.kind === "request") {
    const status = Number(entry.status ?? 0);
    return { text: status === 0 ? "cut" : String(status), tone: toneOf(status) };
  }
  if (entry.kind === "delivery") {
    const final = text(entry.final);
    const word = entry.status === undefined ? text(entry.outcome) : text(entry.status);
    return { text: word, tone: final === "dead" ? "bad" : entry.outcome === "delivered" ? "good" : "warn" };
  }
  if (entry.kind === "egress") return { text: "refused", tone: "bad" };
  if (entry.kind === "incident") return { text: "incident", tone: "bad" };
  if (entry.kind === "fault") return { text: "fired", tone: "warn" };
  return { text: "", tone: "plain" };
}

export function toneOf(status: number): Tone {
  if (status >= 500 || status === 0) return "bad";
  if (status >= 400) return "warn";
  return "good";
}

function pathOf(entry: Entry): string {
  const operation = text(entry.operation);
  const target = text(entry.target);
  // EC2 asks everything at `/`, and Twilio's paths begin alike: the operation says more, where it has a name.
  return operation === "" || operation.includes(" ") ? target : `${operation} ${target}`;
}

/** EC2 names the resource by the key: {spotRequest: "open"}. */
function wordOf(entry: Entry): string {
  return ownFacts(entry).join(", ");
}

const envelope = new Set(["sequence", "kind", "at", "emulator", "subject"]);

function ownFacts(entry: Entry): string[] {
  return Object.entries(entry).flatMap(([name, value]) =>
    envelope.has(name) || value === undefined
      ? []
      : name === "done"
        ? [String(value)]
        : [`${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`],
  );
}

function join(parts: readonly unknown[]): string {
  return parts
    .map(text)
    .filter((part) => part !== "")
    .join(" ");
}
