/** `$skiptoken`: everything the next page needs, so that a client may repeat the link alone. */
import { ODataProblem } from "./problem.ts";

export interface SkipToken {
  /** Options as the first page had them. */
  readonly filter?: string | undefined;
  readonly orderBy?: string | undefined;
  readonly select?: string | undefined;
  readonly apply?: string | undefined;
  readonly expand?: string | undefined;
  readonly from: number;
  readonly to: number;
  /** Records still wanted, where the first page had `$top`. */
  readonly left?: number | undefined;
  /** The last record shown, in time order. */
  readonly row?: number | undefined;
  readonly at?: number | undefined;
  /** How many changes of the estate the first page saw: later ones would move its rows. */
  readonly seen?: number | undefined;
  /** Records shown so far, in any other order. */
  readonly shown?: number | undefined;
}

type Test = (value: unknown) => boolean;
const text: Test = (value) => typeof value === "string";
const count: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** Of the years 1 to 9999. */
const instant: Test = (value) =>
  typeof value === "number" && value >= -62_135_596_800_000 && value <= 253_402_300_799_999;

/** Plain tests: a schema library for this one form would be a fifth of every start. */
const tests: { readonly [Name in keyof Required<SkipToken>]: Test } = {
  ...{ filter: text, orderBy: text, select: text, apply: text, expand: text },
  ...{ from: instant, to: instant, at: instant, left: count, row: count, seen: count, shown: count },
};

export function writeSkipToken(token: SkipToken): string {
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

export function readSkipToken(given: string): SkipToken {
  try {
    const token: unknown = JSON.parse(Buffer.from(given, "base64url").toString("utf8"));
    if (isToken(token)) return token;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new ODataProblem("$skiptoken", "The skip token is not one that this service gave out");
}

function isToken(value: unknown): value is SkipToken {
  if (typeof value !== "object" || value === null || !("from" in value) || !("to" in value)) return false;
  return Object.entries(value).every(([name, held]) => tests[name as keyof SkipToken]?.(held) === true);
}
