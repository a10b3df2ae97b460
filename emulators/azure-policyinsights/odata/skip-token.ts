/** `$skiptoken`: everything the next page needs, so that a client may repeat the link alone. */
import * as z from "zod";
import { ODataProblem } from "./problem.ts";

const instant = z.number().min(-62_135_596_800_000).max(253_402_300_799_999); // years 1 to 9999

const Token = z.strictObject({
  /** Options as the first page had them. */
  filter: z.string().optional(),
  orderBy: z.string().optional(),
  select: z.string().optional(),
  apply: z.string().optional(),
  expand: z.string().optional(),
  from: instant,
  to: instant,
  /** Records still wanted, where the first page had `$top`. */
  left: z.number().int().min(0).optional(),
  /** The last record shown, in time order. */
  row: z.number().int().min(0).optional(),
  at: instant.optional(),
  /** How many changes of the estate the first page saw: later ones would move its rows. */
  seen: z.number().int().min(0).optional(),
  /** Records shown so far, in any other order. */
  shown: z.number().int().min(0).optional(),
});
export type SkipToken = z.infer<typeof Token>;

export function writeSkipToken(token: SkipToken): string {
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

export function readSkipToken(text: string): SkipToken {
  try {
    const parsed = Token.safeParse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
    if (parsed.success) return parsed.data;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new ODataProblem("$skiptoken", "The skip token is not one that this service gave out");
}
