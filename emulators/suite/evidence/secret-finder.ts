/**
 * Where credentials stand in a text, by shape and by name. One pass looks at pairs of characters; where a pair begins a
 * hint, the few patterns that the hint belongs to are tried there and nowhere else.
 */
import { shapes } from "./secret-shapes.ts";

/** What is to be replaced: from, up to and not including to. */
export interface Run {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

/** Looks whether something begins near `at`. */
type Look = (text: string, at: number) => Run | undefined;

interface Hint {
  readonly text: string;
  readonly anyCase: boolean;
  readonly look: Look;
}

const secretName =
  "(?:[A-Za-z0-9]{1,20}[_-]){0,2}(?:auth_?token|access_?token|refresh_?token|id_?token|session_?token|security-?token|client_?secret|client_?assertion|api_?key|api_?token|private_?key|secret_?access_?key|secret_?key|secret|password|passwd|passphrase|pwd|credentials?|token|x-api-key|x-amz-signature|sig|otp_?seed)";
const value = String.raw`(?!(?:[\w-]{1,20} )?REDACTED)`;
/**
 * `name=value` in queries, forms and prose, `"name": "value"` in JSON, escaped or not, `name: value` in headers, elements
 * of XML. The first group stands before the value.
 */
const named: readonly RegExp[] = [
  new RegExp(String.raw`(?<=^|[?&;\s"'\[({,])(${secretName}=)(${value}[^&\s"'<>;,\\]{3,})`, "imy"),
  new RegExp(String.raw`(?<=")(${secretName}\\?"\s*:\s*\\?")(${value}(?:[^"\\]|\\(?!")[^])+)`, "iy"),
  new RegExp(
    String.raw`(?<=^)((?:authorization|proxy-authorization|cookie|set-cookie|${secretName}):[ \t]*)(${value}[^\s][^\r\n]*)`,
    "imy",
  ),
  new RegExp(`(?<=<)(${secretName}>)(${value}[^<]+)`, "iy"),
];
const names = [
  "token",
  "secret",
  "passw",
  "passphrase",
  "pwd",
  "credential",
  "apikey",
  "api_key",
  "api-key",
  "privatekey",
  "private_key",
  "assertion",
  "authorization",
  "cookie",
  "sig",
  "otpseed",
  "otp_seed",
];
/** Credentials in a URL, and what follows the scheme of an Authorization header wherever it stands. */
const inUrl = /(?<=\b[a-z][a-z0-9+.-]{1,20})(:\/\/[^\s:/@"'<>]{0,80}:)((?!REDACTED)[^\s/@"'<>]{1,200})(?=@)/iy;
const afterScheme = /\b((?:Bearer|Basic) )((?!REDACTED|realm)[A-Za-z0-9._~+/=-]{16,})/y;

/** Numbers that were set aside for fiction or tests; others may be a person's. */
const phone = /(?<![\w+/=-])(?:\+|%2B)\d{8,15}(?!\w)/y;
const fictionalPhone = /^(?:\+|%2B)(?:1\d{3}555\d{4}|44\d{2,4}9[46]\d*|4930\d*23125\d*|15005550\d{3})$/;
const domain = /[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/y;
const testDomain = /^(?:[a-z0-9-]+\.)*(?:(?:test|example|invalid|localhost|internal)|example\.(?:com|net|org)|norm)$/i;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function shapeLook(kind: string, pattern: RegExp, before: readonly number[]): Look {
  return (text, at) => {
    for (const back of before) {
      const found = at >= back ? matchAt(pattern, text, at - back)?.[0] : undefined;
      if (found !== undefined) return { kind, from: at - back, to: at - back + found.length };
    }
    return undefined;
  };
}

/** The value behind a group that stands before it. */
function valueLook(pattern: RegExp): Look {
  return (text, at) => {
    const [, before = "", found] = matchAt(pattern, text, at) ?? [];
    if (found === undefined) return undefined;
    return { kind: "named", from: at + before.length, to: at + before.length + found.length };
  };
}

const wordAround = /[A-Za-z0-9_-]/;
const longestName = 90;

const namedLooks = named.map(valueLook);
/** From the beginning of the word that the hint is part of. */
const nameLook: Look = (text, at) => {
  let from = at;
  while (from > 0 && at - from < longestName && wordAround.test(text[from - 1] ?? "")) from -= 1;
  for (const look of namedLooks) {
    const found = look(text, from);
    if (found) return found;
  }
  return undefined;
};

const phoneLook: Look = (text, at) => {
  const found = matchAt(phone, text, at)?.[0];
  return found === undefined || fictionalPhone.test(found)
    ? undefined
    : { kind: "phone", from: at, to: at + found.length };
};

const beforeAt = /[A-Za-z0-9._%+-]/;
const addressLook: Look = (text, at) => {
  const host = matchAt(domain, text, at + 1)?.[0];
  if (host === undefined || testDomain.test(host)) return undefined;
  let from = at;
  while (from > 0 && at - from < 64 && beforeAt.test(text[from - 1] ?? "")) from -= 1;
  return from === at ? undefined : { kind: "address", from, to: at + 1 + host.length };
};

const hints: readonly Hint[] = [
  ...shapes.flatMap(([kind, pattern, texts, before = [0]]) =>
    texts.map((text) => ({ text, anyCase: false, look: shapeLook(kind, pattern, before) })),
  ),
  ...names.map((text) => ({ text, anyCase: true, look: nameLook })),
  ...["Bearer ", "Basic "].map((text) => ({ text, anyCase: false, look: valueLook(afterScheme) })),
  { text: "://", anyCase: false, look: valueLook(inUrl) },
  { text: "+", anyCase: false, look: phoneLook },
  { text: "%2B", anyCase: false, look: phoneLook },
  { text: "@", anyCase: false, look: addressLook },
];

/** Hints by the pair of characters they begin with; a hint of one character stands under all pairs that begin with it. */
const lists: Hint[][] = [[]];
/** Which list a pair has; most have the first, which is empty. */
const listOf = new Uint8Array(65_536);
for (const hint of hints) {
  const either = (char: string) => (hint.anyCase ? [char.toLowerCase(), char.toUpperCase()] : [char]);
  const codes = (char: string | undefined) =>
    char === undefined ? Array.from({ length: 256 }, (_, code) => code) : either(char).map((one) => one.charCodeAt(0));
  for (const first of new Set(codes(hint.text[0])))
    for (const second of new Set(codes(hint.text[1]))) {
      const pair = (first << 8) | second;
      const known = lists[listOf[pair] ?? 0] ?? [];
      const at = lists.findIndex(
        (list) => list.length === known.length + 1 && list.at(-1) === hint && known.every((one, n) => list[n] === one),
      );
      listOf[pair] = at >= 0 ? at : lists.push([...known, hint]) - 1;
    }
}
if (lists.length > 256) throw new Error("more lists of hints than a byte can tell apart");

function standsAt({ text: wanted, anyCase }: Hint, text: string, at: number): boolean {
  if (!anyCase) return text.startsWith(wanted, at);
  // Setting the bit that tells cases apart may let more through than it should; the pattern has the last word.
  for (let n = 2; n < wanted.length; n += 1)
    if ((text.charCodeAt(at + n) | 32) !== (wanted.charCodeAt(n) | 32)) return false;
  return true;
}

/** In order and without overlaps. */
export function runsIn(text: string): readonly Run[] {
  const runs: Run[] = [];
  const end = text.length;
  let code = end > 0 ? text.charCodeAt(0) & 255 : 0;
  for (let at = 0; at < end; at += 1) {
    const next = at + 1 < end ? text.charCodeAt(at + 1) & 255 : 0;
    const list = listOf[(code << 8) | next] ?? 0;
    code = next;
    if (list === 0) continue;
    for (const hint of lists[list] ?? []) {
      const found = standsAt(hint, text, at) ? hint.look(text, at) : undefined;
      if (found) runs.push(found);
    }
  }
  return runs.length < 2 ? runs : joined(runs);
}

function joined(runs: readonly Run[]): readonly Run[] {
  const whole: Run[] = [];
  for (const run of [...runs].sort((left, right) => left.from - right.from || right.to - left.to)) {
    const last = whole.at(-1);
    if (!last || run.from >= last.to) whole.push(run);
    else if (run.to > last.to) whole[whole.length - 1] = { ...last, to: run.to };
  }
  return whole;
}
