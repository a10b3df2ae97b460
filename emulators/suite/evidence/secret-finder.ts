/**
 * Where credentials stand in a text, by shape and by name. One pass looks at three characters at a time; where they
 * begin a hint, the few patterns that the hint belongs to are tried there and nowhere else.
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
  /** At least so many follow. */
  readonly digits: number;
  readonly look: Look;
  /** So many characters from its beginning on tell a credential from something else. */
  readonly reach: number;
}

const secretName =
  "(?:[A-Za-z0-9]{1,20}[_-]){0,2}(?:auth_?token|access_?token|refresh_?token|id_?token|session_?token|security-?token|client_?secret|client_?assertion|api_?key|api_?token|private_?key|secret_?access_?key|secret_?key|secret|password|passwd|passphrase|pwd|credentials?|token|x-api-key|x-amz-signature|sig|otp_?seed)";
const value = String.raw`(?!(?:[\w-]{1,20} )?REDACTED)`;
/**
 * `name=value` in queries, forms and prose, `"name": "value"` in JSON, escaped or not, `name: value` in headers, elements
 * of XML. The first group stands before the value.
 */
const assigned = new RegExp(String.raw`(?<=^|[?&;\s"'\[({,])(${secretName}=)(${value}[^&\s"'<>;,\\]{3,})`, "imy");
const quoted = new RegExp(String.raw`(?<=")(${secretName}\\?"\s*:\s*\\?")(${value}(?:[^"\\]|\\(?!")[^])+)`, "iy");
const header = new RegExp(
  String.raw`(?<=^)((?:authorization|proxy-authorization|cookie|set-cookie|${secretName}):[ \t]*)(${value}[^\s][^\r\n]*)`,
  "imy",
);
const element = new RegExp(`(?<=<)(${secretName}>)(${value}[^<]+)`, "iy");
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
  "authorization:",
  "cookie:",
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

const inWord = Uint8Array.from({ length: 128 }, (_, code) => (/[A-Za-z0-9_-]/.test(String.fromCharCode(code)) ? 1 : 0));
const longestName = 90;

/** What stands behind a name says how its value is written. */
const namedLooks: ReadonlyMap<string, Look> = new Map([
  ["=", valueLook(assigned)],
  ['"', valueLook(quoted)],
  ["\\", valueLook(quoted)],
  [":", valueLook(header)],
  [">", valueLook(element)],
]);
/** From the beginning of the word that the hint is part of. */
const nameLook: Look = (text, at) => {
  let to = at;
  while (to - at < longestName && inWord[text.charCodeAt(to)] === 1) to += 1;
  const look = namedLooks.get(text[to] ?? "");
  if (!look) return undefined;
  let from = at;
  while (from > 0 && at - from < longestName && inWord[text.charCodeAt(from - 1)] === 1) from -= 1;
  return look(text, from);
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

const plain = { anyCase: false, digits: 0 };
const hints: readonly Hint[] = [
  ...shapes.flatMap(([kind, pattern, texts, before = [0]]) =>
    texts.map((text) => ({ ...plain, text, look: shapeLook(kind, pattern, before), reach: 2_048 })),
  ),
  ...names.map((text) => ({ ...plain, text, anyCase: true, look: nameLook, reach: 192 })),
  ...["Bearer ", "Basic "].map((text) => ({ ...plain, text, look: valueLook(afterScheme), reach: 64 })),
  { ...plain, text: "://", look: valueLook(inUrl), reach: 320 },
  ...["+", "%2B"].map((text) => ({ ...plain, text, digits: 8, look: phoneLook, reach: 24 })),
  { ...plain, text: "@", look: addressLook, reach: 640 },
];

/**
 * Three characters that begin a hint, seven bits each: one bit of the table says whether any does. Letters beyond seven
 * bits are taken for others, which costs a look and finds nothing.
 */
const begins = new Uint32Array(2 ** 21 / 32);
const beginning = (first: number, second: number, third: number) =>
  ((first & 127) << 14) | ((second & 127) << 7) | (third & 127);
const hintsOf = new Map<number, Hint[]>();
const codesOf = (chars: string) => [...new Set(chars)].map((char) => char.charCodeAt(0));
const anyCode = Array.from({ length: 128 }, (_, code) => code);
for (const hint of hints) {
  const codes = (n: number) => {
    const char = hint.text[n];
    if (char !== undefined) return codesOf(hint.anyCase ? char.toLowerCase() + char.toUpperCase() : char);
    return n < hint.text.length + hint.digits ? codesOf("0123456789") : anyCode;
  };
  for (const first of codes(0))
    for (const second of codes(1))
      for (const third of codes(2)) {
        const key = beginning(first, second, third);
        begins[key >> 5] = (begins[key >> 5] ?? 0) | (1 << (key & 31));
        hintsOf.set(key, [...(hintsOf.get(key) ?? []), hint]);
      }
}

/**
 * Whether the hint stands there whole, as what seven bits of three characters cannot tell. From its end: what only begins
 * like a hint differs there. Setting the bit that tells cases apart may let more through; the pattern has the last word.
 */
function standsAt({ text: wanted, anyCase, digits }: Hint, text: string, at: number): boolean {
  const fold = anyCase ? 32 : 0;
  for (let n = wanted.length - 1; n >= 0; n -= 1)
    if ((text.charCodeAt(at + n) | fold) !== (wanted.charCodeAt(n) | fold)) return false;
  for (let n = digits - 1; n >= 0; n -= 1) if (!isDigit(text.charCodeAt(at + wanted.length + n))) return false;
  return true;
}

const isDigit = (code: number | undefined) => code !== undefined && code >= 48 && code <= 57;

/** In order and without overlaps. */
export function runsIn(text: string): readonly Run[] {
  const runs: Run[] = [];
  const end = text.length;
  let key = end > 1 ? beginning(0, text.charCodeAt(0), text.charCodeAt(1)) : 0;
  for (let next = 2; next < end; next += 1) {
    key = ((key << 7) | (text.charCodeAt(next) & 127)) & 0x1fffff;
    if (((begins[key >> 5] ?? 0) & (1 << (key & 31))) === 0) continue;
    const at = next - 2;
    for (const hint of hintsOf.get(key) ?? []) {
      const found = standsAt(hint, text, at) ? hint.look(text, at) : undefined;
      if (found) runs.push(found);
    }
  }
  return runs.length < 2 ? runs : joined(runs);
}

/** What patterns look back at. */
const behind = 128;

/** The same in bytes, one character each. A run may end early: that it is there is what counts. */
export function runsInBytes(bytes: Buffer): readonly Run[] {
  const runs: Run[] = [];
  const end = bytes.length;
  let key = end > 1 ? beginning(0, bytes[0] ?? 0, bytes[1] ?? 0) : 0;
  for (let next = 2; next < end; next += 1) {
    key = ((key << 7) | ((bytes[next] ?? 0) & 127)) & 0x1fffff;
    if (((begins[key >> 5] ?? 0) & (1 << (key & 31))) === 0) continue;
    const at = next - 2;
    for (const hint of hintsOf.get(key) ?? []) {
      if (!standsAtByte(hint, bytes, at)) continue;
      const from = Math.max(0, at - behind);
      const found = hint.look(bytes.toString("latin1", from, Math.min(end, at + hint.reach)), at - from);
      if (found) runs.push({ ...found, from: from + found.from, to: from + found.to });
    }
  }
  return runs.length < 2 ? runs : joined(runs);
}

function standsAtByte({ text: wanted, anyCase, digits }: Hint, bytes: Uint8Array, at: number): boolean {
  const fold = anyCase ? 32 : 0;
  for (let n = wanted.length - 1; n >= 0; n -= 1)
    if (((bytes[at + n] ?? 0) | fold) !== (wanted.charCodeAt(n) | fold)) return false;
  for (let n = digits - 1; n >= 0; n -= 1) if (!isDigit(bytes[at + wanted.length + n])) return false;
  return true;
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
