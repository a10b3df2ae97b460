/**
 * Credentials by shape and by name. The recorder replaces them before anything is hashed or written; the finished pack
 * is scanned with the same patterns. Replacements never match, so redacting twice changes nothing.
 */

/** Alphabets are those the issuers document; lengths are minima, so that longer variants match too. */
const shapes: readonly (readonly [kind: string, pattern: RegExp])[] = [
  [
    "private-key",
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  ],
  ["jwt", /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/g],
  ["aws-access-key", /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/g],
  ["aws-session-token", /\bIQoJb3JpZ2luX2Vj[A-Za-z0-9+/=%]{16,}/g],
  ["twilio-api-key", /\bSK[0-9a-f]{32}\b/g],
  ["webhook-secret", /\bwhsec_[A-Za-z0-9+/=_-]{16,}/g],
  ["stripe-key", /\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}/g],
  ["github-token", /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})/g],
  ["gitlab-token", /\bgl(?:pat|cbt|ptt|dt|rt|soat)-[A-Za-z0-9_-]{16,}/g],
  ["slack-token", /\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}/g],
  ["slack-webhook", /hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/_-]{16,}/g],
  ["sendgrid-key", /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/g],
  ["mailgun-key", /\bkey-[0-9a-f]{32}\b/g],
  ["mailchimp-key", /\b[0-9a-f]{32}-us\d{1,2}\b/g],
  ["postmark-or-brevo-key", /\bx(?:key|smtp)sib-[0-9a-f]{32,}(?:-[A-Za-z0-9]+)?/g],
  ["google-key", /\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}/g],
  ["azure-secret", /\b[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}/g],
  ["azure-key", /\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/%]{20,}={0,2}/g],
  ["openai-or-anthropic-key", /\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,}/g],
  ["hugging-face-token", /\bhf_[A-Za-z0-9]{30,}/g],
  ["npm-token", /\bnpm_[A-Za-z0-9]{30,}/g],
  ["pypi-token", /\bpypi-[A-Za-z0-9_-]{16,}/g],
  ["rubygems-key", /\brubygems_[0-9a-f]{40,}/g],
  ["docker-token", /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/g],
  ["digitalocean-token", /\bdo[por]_v1_[0-9a-f]{40,}/g],
  ["shopify-token", /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{30,}/g],
  ["square-token", /\bsq0(?:atp|csp)-[A-Za-z0-9_-]{20,}|\bEAAA[A-Za-z0-9_-]{50,}/g],
  ["vault-token", /\bhv[sbr]\.[A-Za-z0-9_-]{20,}/g],
  ["terraform-token", /\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}/g],
  ["databricks-token", /\bdapi[0-9a-f]{32}\b/g],
  ["doppler-token", /\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{20,}/g],
  ["grafana-token", /\bgl(?:c|sa)_[A-Za-z0-9+/=_]{20,}/g],
  ["new-relic-key", /\bNR(?:AK|JS|II|RA)-[A-Za-z0-9_-]{16,}/g],
  ["sentry-token", /\bsntrys_[A-Za-z0-9+/=_]{30,}/g],
  ["atlassian-token", /\bATATT3[A-Za-z0-9_=-]{20,}/g],
  ["linear-key", /\blin_(?:api|oauth)_[A-Za-z0-9]{20,}/g],
  ["notion-token", /\b(?:secret|ntn)_[A-Za-z0-9]{40,}/g],
  ["planetscale-token", /\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{20,}/g],
  ["supabase-token", /\bsb(?:p|_secret)_[A-Za-z0-9_]{20,}/g],
  ["fly-token", /\bfo1_[A-Za-z0-9_-]{30,}|\bFlyV1 fm\d_[A-Za-z0-9+/=_-]{20,}/g],
  ["telegram-token", /\b\d{8,10}:AA[A-Za-z0-9_-]{30,}/g],
  ["discord-webhook", /discord(?:app)?\.com\/api\/webhooks\/\d+\/[A-Za-z0-9_-]{30,}/g],
  ["age-key", /\bAGE-SECRET-KEY-1[0-9A-Z]{40,}/g],
  ["heroku-key", /\bHRKU-[A-Za-z0-9_-]{30,}/g],
  ["pulumi-token", /\bpul-[0-9a-f]{40}\b/g],
  ["mapbox-token", /\b[sp]k\.eyJ[A-Za-z0-9_.-]{20,}/g],
  ["url-credentials", /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>]{0,80}):(?!REDACTED)[^\s/@"'<>]{1,200}(?=@)/gi],
  ["bearer-token", /(?<=\b(?:Bearer|Basic) )(?!REDACTED|realm)[A-Za-z0-9._~+/=-]{16,}/g],
];

const secretName = String.raw`(?:[A-Za-z0-9]{1,20}[_-])?(?:auth_?token|access_?token|refresh_?token|id_?token|session_?token|security-?token|client_?secret|client_?assertion|api_?key|api_?token|private_?key|secret_?access_?key|secret_?key|secret|password|passwd|passphrase|pwd|credentials?|token|x-api-key|x-amz-signature|sig|otp_?seed)`;
/** `name=value` in queries, forms and prose; `"name": "value"` in JSON, escaped or not; `name: value` in headers. */
const named: readonly RegExp[] = [
  new RegExp(String.raw`(?<=(?:^|[?&;\s"'\[({,])${secretName}=)(?!REDACTED)[^&\s"'<>;,\\]{3,}`, "gim"),
  new RegExp(String.raw`(?<=\\?"${secretName}\\?"\s*:\s*\\?")(?!REDACTED)(?:[^"\\]|\\(?!")[^])+`, "gi"),
  new RegExp(
    String.raw`(?<=^(?:authorization|proxy-authorization|cookie|set-cookie|${secretName}):[ \t]*)(?!(?:[\w-]{1,20} )?REDACTED)[^\s][^\r\n]*`,
    "gim",
  ),
  new RegExp(String.raw`(?<=<${secretName}>)(?!REDACTED)[^<]+`, "gi"),
];

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
const address = /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g;
const testAddress = /@(?:[a-z0-9-]+\.)*(?:(?:test|example|invalid|localhost|internal)|example\.(?:com|net|org)|norm)$/i;

export type Replace = (kind: string, value: string) => string;

export function replaceSecrets(text: string, replace: Replace): string {
  let out = text;
  for (const [kind, pattern] of shapes)
    out = out.replace(pattern, (value) =>
      kind === "url-credentials" ? `:${replace(kind, value)}` : replace(kind, value),
    );
  for (const pattern of named) out = out.replace(pattern, (value) => replace("named", value));
  out = out.replace(phone, (value) => (fictionalPhone.test(value) ? value : replace("phone", value)));
  return out.replace(address, (value) => (testAddress.test(value) ? value : replace("address", value)));
}

/** Kinds of what is found, with the place; never the value. */
export function findSecrets(text: string): readonly { readonly kind: string; readonly line: number }[] {
  const found: { kind: string; line: number }[] = [];
  const add = (kind: string, at: number) => found.push({ kind, line: text.slice(0, at).split("\n").length });
  for (const [kind, pattern] of shapes) for (const match of text.matchAll(pattern)) add(kind, match.index);
  for (const pattern of named) for (const match of text.matchAll(pattern)) add("named", match.index);
  for (const match of text.matchAll(phone)) if (!fictionalPhone.test(match[0])) add("phone", match.index);
  for (const match of text.matchAll(address)) if (!testAddress.test(match[0])) add("address", match.index);
  return found;
}
