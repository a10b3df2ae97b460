/**
 * Credentials by shape and by name. The recorder replaces them before anything is hashed or written; the finished pack
 * is scanned with the same patterns. Replacements never match, so redacting twice changes nothing.
 */

/** Alphabets are those the issuers document; lengths are minima, so that longer variants match too. Without
 * one of the hints in a text the pattern is not tried: most texts hold none. */
const shapes: readonly (readonly [kind: string, pattern: RegExp, hints: readonly string[]])[] = [
  [
    "private-key",
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
    ["PRIVATE KEY"],
  ],
  ["jwt", /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/g, ["eyJ"]],
  ["aws-access-key", /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/g, ["AKIA", "ASIA", "ABIA", "ACCA"]],
  ["aws-session-token", /\bIQoJb3JpZ2luX2Vj[A-Za-z0-9+/=%]{16,}/g, ["IQoJ"]],
  ["twilio-api-key", /\bSK[0-9a-f]{32}\b/g, ["SK"]],
  ["webhook-secret", /\bwhsec_[A-Za-z0-9+/=_-]{16,}/g, ["whsec_"]],
  ["stripe-key", /\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}/g, ["_live_", "_test_"]],
  ["github-token", /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})/g, ["gh", "github_pat_"]],
  ["gitlab-token", /\bgl(?:pat|cbt|ptt|dt|rt|soat)-[A-Za-z0-9_-]{16,}/g, ["gl"]],
  ["slack-token", /\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}/g, ["xox", "xapp-"]],
  ["slack-webhook", /hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/_-]{16,}/g, ["hooks.slack.com"]],
  ["sendgrid-key", /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/g, ["SG."]],
  ["mailgun-key", /\bkey-[0-9a-f]{32}\b/g, ["key-"]],
  ["mailchimp-key", /\b[0-9a-f]{32}-us\d{1,2}\b/g, ["-us"]],
  ["postmark-or-brevo-key", /\bx(?:key|smtp)sib-[0-9a-f]{32,}(?:-[A-Za-z0-9]+)?/g, ["sib-"]],
  [
    "google-key",
    /\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}/g,
    ["AIza", "ya29.", "GOCSPX-"],
  ],
  ["azure-secret", /\b[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}/g, ["Q~"]],
  ["azure-key", /\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/%]{20,}={0,2}/g, ["AccountKey=", "SharedAccessKey="]],
  ["openai-or-anthropic-key", /\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,}/g, ["sk-"]],
  ["hugging-face-token", /\bhf_[A-Za-z0-9]{30,}/g, ["hf_"]],
  ["npm-token", /\bnpm_[A-Za-z0-9]{30,}/g, ["npm_"]],
  ["pypi-token", /\bpypi-[A-Za-z0-9_-]{16,}/g, ["pypi-"]],
  ["rubygems-key", /\brubygems_[0-9a-f]{40,}/g, ["rubygems_"]],
  ["docker-token", /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/g, ["dckr_"]],
  ["digitalocean-token", /\bdo[por]_v1_[0-9a-f]{40,}/g, ["_v1_"]],
  ["shopify-token", /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{30,}/g, ["shp"]],
  ["square-token", /\bsq0(?:atp|csp)-[A-Za-z0-9_-]{20,}|\bEAAA[A-Za-z0-9_-]{50,}/g, ["sq0", "EAAA"]],
  ["vault-token", /\bhv[sbr]\.[A-Za-z0-9_-]{20,}/g, ["hv"]],
  ["terraform-token", /\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}/g, [".atlasv1."]],
  ["databricks-token", /\bdapi[0-9a-f]{32}\b/g, ["dapi"]],
  ["doppler-token", /\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{20,}/g, ["dp."]],
  ["grafana-token", /\bgl(?:c|sa)_[A-Za-z0-9+/=_]{20,}/g, ["glc_", "glsa_"]],
  ["new-relic-key", /\bNR(?:AK|JS|II|RA)-[A-Za-z0-9_-]{16,}/g, ["NRAK", "NRJS", "NRII", "NRRA"]],
  ["sentry-token", /\bsntrys_[A-Za-z0-9+/=_]{30,}/g, ["sntrys_"]],
  ["atlassian-token", /\bATATT3[A-Za-z0-9_=-]{20,}/g, ["ATATT3"]],
  ["linear-key", /\blin_(?:api|oauth)_[A-Za-z0-9]{20,}/g, ["lin_"]],
  ["notion-token", /\b(?:secret|ntn)_[A-Za-z0-9]{40,}/g, ["secret_", "ntn_"]],
  ["planetscale-token", /\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{20,}/g, ["pscale_"]],
  ["supabase-token", /\bsb(?:p|_secret)_[A-Za-z0-9_]{20,}/g, ["sbp_", "sb_secret_"]],
  ["fly-token", /\bfo1_[A-Za-z0-9_-]{30,}|\bFlyV1 fm\d_[A-Za-z0-9+/=_-]{20,}/g, ["fo1_", "FlyV1"]],
  ["telegram-token", /\b\d{8,10}:AA[A-Za-z0-9_-]{30,}/g, [":AA"]],
  ["discord-webhook", /discord(?:app)?\.com\/api\/webhooks\/\d+\/[A-Za-z0-9_-]{30,}/g, ["/api/webhooks/"]],
  ["age-key", /\bAGE-SECRET-KEY-1[0-9A-Z]{40,}/g, ["AGE-SECRET-KEY-1"]],
  ["heroku-key", /\bHRKU-[A-Za-z0-9_-]{30,}/g, ["HRKU-"]],
  ["pulumi-token", /\bpul-[0-9a-f]{40}\b/g, ["pul-"]],
  ["mapbox-token", /\b[sp]k\.eyJ[A-Za-z0-9_.-]{20,}/g, ["k.eyJ"]],
];

const secretName = String.raw`(?:[A-Za-z0-9]{1,20}[_-])?(?:auth_?token|access_?token|refresh_?token|id_?token|session_?token|security-?token|client_?secret|client_?assertion|api_?key|api_?token|private_?key|secret_?access_?key|secret_?key|secret|password|passwd|passphrase|pwd|credentials?|token|x-api-key|x-amz-signature|sig|otp_?seed)`;
const value = String.raw`(?!(?:[\w-]{1,20} )?REDACTED)`;
/**
 * What stands before the value, and the value: credentials in a URL, `name=value` in queries, forms and prose, `"name":
 * "value"` in JSON, escaped or not, `name: value` in headers, elements of XML.
 */
const named: readonly RegExp[] = [
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>]{0,80}:)((?!REDACTED)[^\s/@"'<>]{1,200})(?=@)/gi,
  /(\b(?:Bearer|Basic) )((?!REDACTED|realm)[A-Za-z0-9._~+/=-]{16,})/g,
  new RegExp(String.raw`((?:^|[?&;\s"'\[({,])${secretName}=)(${value}[^&\s"'<>;,\\]{3,})`, "gim"),
  new RegExp(String.raw`("${secretName}\\?"\s*:\s*\\?")(${value}(?:[^"\\]|\\(?!")[^])+)`, "gi"),
  new RegExp(
    String.raw`(^(?:authorization|proxy-authorization|cookie|set-cookie|${secretName}):[ \t]*)(${value}[^\s][^\r\n]*)`,
    "gim",
  ),
  new RegExp(String.raw`(<${secretName}>)(${value}[^<]+)`, "gi"),
];
const namedHint =
  /:\/\/|Bearer |Basic |token|secret|passw|passphrase|pwd|credential|api_?key|private_?key|assertion|authorization|cookie|\bsig\b|signature|otp_?seed/i;

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

/** Numbers that were set aside for fiction or tests; others may be a person's. */
const phone = /(?<![\w+/=-])(?:\+|%2B)\d{8,15}(?!\w)/g;
const fictionalPhone = /^(?:\+|%2B)(?:1\d{3}555\d{4}|44\d{2,4}9[46]\d*|4930\d*23125\d*|15005550\d{3})$/;
const beforeAt = /[A-Za-z0-9._%+-]{1,64}$/;
const afterAt = /^[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/;
const testAddress = /@(?:[a-z0-9-]+\.)*(?:(?:test|example|invalid|localhost|internal)|example\.(?:com|net|org)|norm)$/i;

export type Replace = (kind: string, value: string) => string;

export function replaceSecrets(text: string, replace: Replace): string {
  const out = replaceRuns(text, escapedRuns(text), (run) => {
    const inner = unescaped(run);
    if (inner === undefined || inner === run || findPlain(inner).length === 0) return run;
    return encodeURIComponent(replacePlain(inner, replace)).replaceAll("%3A", ":").replaceAll("%20", "+");
  });
  return replacePlain(out, replace);
}

function replacePlain(text: string, replace: Replace): string {
  let out = text;
  for (const [kind, pattern, hints] of shapes)
    if (hints.some((hint) => out.includes(hint))) out = out.replace(pattern, (found) => replace(kind, found));
  if (namedHint.test(out))
    for (const pattern of named)
      out = out.replace(pattern, (_, before: string, found: string) => before + replace("named", found));
  if (out.includes("+") || out.includes("%2B"))
    out = out.replace(phone, (found) => (fictionalPhone.test(found) ? found : replace("phone", found)));
  return replaceRuns(out, addressRuns(out), (found) => replace("address", found));
}

interface Found {
  readonly kind: string;
  readonly line: number;
}

/** Kinds of what is found, with the line; never the value. */
export function findSecrets(text: string): readonly Found[] {
  const found = [...findPlain(text)];
  for (const { from, to } of escapedRuns(text)) {
    const run = text.slice(from, to);
    const inner = unescaped(run);
    if (inner === undefined || inner === run) continue;
    for (const { kind } of findPlain(inner)) found.push({ kind, line: lineAt(text, from) });
  }
  return found;
}

function findPlain(text: string): readonly Found[] {
  const found: Found[] = [];
  const add = (kind: string, at: number) => found.push({ kind, line: lineAt(text, at) });
  for (const [kind, pattern, hints] of shapes)
    if (hints.some((hint) => text.includes(hint))) for (const match of text.matchAll(pattern)) add(kind, match.index);
  if (namedHint.test(text))
    for (const pattern of named) for (const match of text.matchAll(pattern)) add("named", match.index);
  if (text.includes("+") || text.includes("%2B"))
    for (const match of text.matchAll(phone)) if (!fictionalPhone.test(match[0])) add("phone", match.index);
  for (const { from } of addressRuns(text)) add("address", from);
  return found;
}

const lineAt = (text: string, at: number) => text.slice(0, at).split("\n").length;

interface Run {
  readonly from: number;
  readonly to: number;
}

/** What stands in a query or a form with escapes: a credential in it has another shape. In one pass, whatever the length. */
function escapedRuns(text: string): readonly Run[] {
  const runs: Run[] = [];
  const ends = /[\s"'<>&=?]|$/g;
  for (let at = text.indexOf("%"); at >= 0; ) {
    let from = at;
    while (from > 0 && !/[\s"'<>&=?]/.test(text[from - 1] ?? "")) from -= 1;
    ends.lastIndex = at;
    const to = ends.exec(text)?.index ?? text.length;
    runs.push({ from, to });
    at = text.indexOf("%", to);
  }
  return runs;
}

/** Addresses that may be a person's. */
function addressRuns(text: string): readonly Run[] {
  const runs: Run[] = [];
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    const before = beforeAt.exec(text.slice(Math.max(0, at - 64), at))?.[0];
    const after = afterAt.exec(text.slice(at + 1, at + 600))?.[0];
    if (before === undefined || after === undefined || testAddress.test(`@${after}`)) continue;
    runs.push({ from: Math.max(at - before.length, runs.at(-1)?.to ?? 0), to: at + 1 + after.length });
  }
  return runs;
}

function replaceRuns(text: string, runs: readonly Run[], replace: (run: string) => string): string {
  if (runs.length === 0) return text;
  let out = "";
  let done = 0;
  for (const { from, to } of runs) {
    out += text.slice(done, from) + replace(text.slice(from, to));
    done = to;
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
