/** Spans and categories of usage records. */

export interface Span {
  /** First day, and last day inclusive, as `YYYY-MM-DD`. */
  readonly start: string;
  readonly end: string;
}

export const spanNames = [
  "AllTime",
  "Daily",
  "LastMonth",
  "Monthly",
  "ThisMonth",
  "Today",
  "Yearly",
  "Yesterday",
] as const;
export type SpanName = (typeof spanNames)[number];

const dayMs = 86_400_000;

export function dayOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** `2025-01-31`, or so many days from today: `-30days`, `+2days`. */
export function readDay(text: string | null, now: number): string | undefined {
  if (text === null || text === "") return undefined;
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    const at = Date.parse(text);
    return Number.isNaN(at) || dayOf(at) !== text ? undefined : text;
  }
  const match = /^([+-]?\d{1,5})days?$/.exec(text);
  return match ? dayOf(now + Number(match[1]) * dayMs) : undefined;
}

/** The spans of one kind between two days, newest first. `first` is the day the account began. */
export function spansOf(
  name: SpanName | undefined,
  now: number,
  first: string,
  from?: string,
  to?: string,
): readonly Span[] {
  const today = dayOf(now);
  const [start, end] = [from !== undefined && from > first ? from : first, to !== undefined && to < today ? to : today];
  const month = today.slice(0, 7);
  switch (name) {
    case undefined:
    case "AllTime":
      return start > end ? [] : [{ start, end }];
    case "Today":
      return [{ start: today, end: today }];
    case "Yesterday": {
      const day = dayOf(now - dayMs);
      return [{ start: day, end: day }];
    }
    case "ThisMonth":
      return [{ start: `${month}-01`, end: today }];
    case "LastMonth": {
      const end = dayOf(Date.parse(`${month}-01`) - dayMs);
      return [{ start: `${end.slice(0, 7)}-01`, end }];
    }
    case "Daily":
      return cut(start, end, 10);
    case "Monthly":
      return cut(start, end, 7);
    case "Yearly":
      return cut(start, end, 4);
  }
}

/** Cuts days into runs that share their first `length` characters: days, months, years. */
function cut(start: string, end: string, length: number): Span[] {
  const spans: Span[] = [];
  for (let last = end; last >= start; ) {
    const prefix = last.slice(0, length);
    const begin = `${prefix}${"-01-01".slice(length - 4)}`;
    const from = begin > start ? begin : start;
    spans.push({ start: from, end: last });
    last = dayOf(Date.parse(from) - dayMs);
  }
  return spans;
}

export interface Category {
  readonly name: string;
  readonly description: string;
  readonly countUnit: string;
  readonly usageUnit: string;
}

export const categories: readonly Category[] = [
  { name: "calls", description: "Voice Minutes", countUnit: "calls", usageUnit: "minutes" },
  { name: "calls-inbound", description: "Inbound Voice Minutes", countUnit: "calls", usageUnit: "minutes" },
  { name: "calls-outbound", description: "Outbound Voice Minutes", countUnit: "calls", usageUnit: "minutes" },
  { name: "mms", description: "MMS Messages", countUnit: "messages", usageUnit: "messages" },
  { name: "mms-inbound", description: "Inbound MMS Messages", countUnit: "messages", usageUnit: "messages" },
  { name: "mms-outbound", description: "Outbound MMS Messages", countUnit: "messages", usageUnit: "messages" },
  { name: "phonenumbers", description: "Phone Numbers", countUnit: "numbers", usageUnit: "numbers" },
  { name: "recordings", description: "Recordings", countUnit: "recordings", usageUnit: "minutes" },
  { name: "sms", description: "SMS", countUnit: "messages", usageUnit: "segments" },
  { name: "sms-inbound", description: "Inbound SMS", countUnit: "messages", usageUnit: "segments" },
  { name: "sms-outbound", description: "Outbound SMS", countUnit: "messages", usageUnit: "segments" },
  { name: "totalprice", description: "Total Price", countUnit: "", usageUnit: "usd" },
  { name: "verifications", description: "Verify", countUnit: "verifications", usageUnit: "verifications" },
];
