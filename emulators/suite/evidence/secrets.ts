/**
 * Credentials in texts: the recorder replaces them before anything is hashed or written, and the finished pack is
 * searched by the same rules. Replacements never match, so redacting twice changes nothing.
 */
import { type Run, runsIn, runsInBytes } from "./secret-finder.ts";

/** Replaced whatever they hold. Webhook signatures are evidence and stay. */
export const secretHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
  "x-auth-token",
  "x-amz-security-token",
  "x-aws-ec2-metadata-token",
  "x-ms-authorization-auxiliary",
  "www-authenticate-token",
]);

export type Replace = (kind: string, value: string) => string;

export function replaceSecrets(text: string, replace: Replace): string {
  const plain = (one: string) => spliced(one, runsIn(one), ({ kind }, found) => replace(kind, found));
  const out = spliced(text, escapedRuns(text), (_, run) => {
    const inner = unescaped(run);
    if (inner === undefined || inner === run || runsIn(inner).length === 0) return run;
    return encodeURIComponent(plain(inner)).replaceAll("%3A", ":").replaceAll("%20", "+");
  });
  return plain(out);
}

export interface Found {
  readonly kind: string;
  readonly line: number;
}

/** Whether any is there. */
export function holdsSecret(text: string): boolean {
  if (runsIn(text).length > 0) return true;
  return escapedRuns(text).some(({ from, to }) => {
    const run = text.slice(from, to);
    const inner = unescaped(run);
    return inner !== undefined && inner !== run && runsIn(inner).length > 0;
  });
}

/** Kinds of what is found, with the line; never the value. */
export function findSecrets(bytes: Buffer): readonly Found[] {
  const found = runsInBytes(bytes).map(({ kind, from }) => ({ kind, line: lineAt(bytes, from) }));
  for (let at = bytes.indexOf(percent); at >= 0; ) {
    let from = at;
    while (from > 0 && isBetween[bytes[from - 1] ?? 0] === 0) from -= 1;
    let to = at;
    while (to < bytes.length && isBetween[bytes[to] ?? 0] === 0) to += 1;
    const run = bytes.toString("latin1", from, to);
    const inner = unescaped(run);
    if (inner !== undefined && inner !== run)
      for (const { kind } of runsIn(inner)) found.push({ kind, line: lineAt(bytes, from) });
    at = bytes.indexOf(percent, to);
  }
  return found;
}

export function lineAt(bytes: Uint8Array, at: number): number {
  let line = 1;
  for (let end = bytes.indexOf(lineFeed); end >= 0 && end < at; end = bytes.indexOf(lineFeed, end + 1)) line += 1;
  return line;
}

const [lineFeed, percent] = [10, 37];
type Span = Pick<Run, "from" | "to">;
const between = /[\s"'<>&=?]/;
const betweenNext = /[\s"'<>&=?]|$/g;
/** The same by bytes. */
const isBetween = Uint8Array.from({ length: 256 }, (_, code) => (between.test(String.fromCharCode(code)) ? 1 : 0));

/** What stands in a query or a form with escapes: a credential in it has another shape. In one pass, whatever the length. */
function escapedRuns(text: string): readonly Span[] {
  const runs: Span[] = [];
  for (let at = text.indexOf("%"); at >= 0; ) {
    let from = at;
    while (from > 0 && !between.test(text[from - 1] ?? "")) from -= 1;
    betweenNext.lastIndex = at;
    const to = betweenNext.exec(text)?.index ?? text.length;
    runs.push({ from, to });
    at = text.indexOf("%", to);
  }
  return runs;
}

function spliced<S extends Span>(text: string, runs: readonly S[], replace: (run: S, found: string) => string): string {
  if (runs.length === 0) return text;
  let out = "";
  let done = 0;
  for (const run of runs) {
    out += text.slice(done, run.from) + replace(run, text.slice(run.from, run.to));
    done = run.to;
  }
  return out + text.slice(done);
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined; // a lone % is no escape: the text is looked at as it is
  }
}
