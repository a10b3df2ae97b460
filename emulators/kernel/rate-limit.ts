/** How rate limits are written: `10/minute`, `100/hour;10/second`, `20/5minutes`. */
export interface RateLimit {
  readonly count: number;
  readonly windowMs: number;
  /** As it was written, without spaces. */
  readonly text: string;
}

const spans: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export const rateLimitForm = "a limit such as 10/minute or 100/hour;10/second, empty for none";

/** Empty means no limit; undefined that the text is in no form that is understood. */
export function parseRateLimit(text: string): readonly RateLimit[] | undefined {
  const limits: RateLimit[] = [];
  for (const part of text.split(";").map((word) => word.trim())) {
    if (part === "") continue;
    const match = /^(\d{1,9})\s*\/\s*(\d{0,6})\s*(second|minute|hour|day)s?$/.exec(part);
    const count = Number(match?.[1]);
    const windowMs = Number(match?.[2] || 1) * (spans[match?.[3] ?? ""] ?? 0);
    if (!match || count < 1 || windowMs < 1) return undefined;
    limits.push({ count, windowMs, text: part.replace(/\s+/g, "") });
  }
  return limits;
}
