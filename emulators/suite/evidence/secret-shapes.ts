/**
 * Credentials by shape. Alphabets are those the issuers document; lengths are minima, so that longer variants match too.
 */

/**
 * The pattern is tried where one of the hints stands, or so many characters before it: a text of megabytes is read
 * once, not once for every shape.
 */
export type Shape = readonly [kind: string, pattern: RegExp, hints: readonly string[], before?: readonly number[]];

export const shapes: readonly Shape[] = [
  [
    "private-key",
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/y,
    ["-----BEGIN "],
  ],
  ["jwt", /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/y, ["eyJ"]],
  ["aws-access-key", /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/y, ["AKIA", "ASIA", "ABIA", "ACCA"]],
  ["aws-session-token", /\bIQoJb3JpZ2luX2Vj[A-Za-z0-9+/=%]{16,}/y, ["IQoJ"]],
  ["twilio-api-key", /\bSK[0-9a-f]{32}\b/y, ["SK"]],
  ["webhook-secret", /\bwhsec_[A-Za-z0-9+/=_-]{16,}/y, ["whsec_"]],
  ["stripe-key", /\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}/y, ["sk_live_", "sk_test_", "rk_live_", "rk_test_"]],
  [
    "github-token",
    /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})/y,
    ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
  ],
  [
    "gitlab-token",
    /\bgl(?:pat|cbt|ptt|dt|rt|soat)-[A-Za-z0-9_-]{16,}/y,
    ["glpat-", "glcbt-", "glptt-", "gldt-", "glrt-", "glsoat-"],
  ],
  ["slack-token", /\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}/y, ["xox", "xapp-"]],
  ["slack-webhook", /hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/_-]{16,}/y, ["hooks.slack.com"]],
  ["sendgrid-key", /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/y, ["SG."]],
  ["mailgun-key", /\bkey-[0-9a-f]{32}\b/y, ["key-"]],
  ["mailchimp-key", /\b[0-9a-f]{32}-us\d{1,2}\b/y, ["-us"], [32]],
  ["postmark-or-brevo-key", /\bx(?:key|smtp)sib-[0-9a-f]{32,}(?:-[A-Za-z0-9]+)?/y, ["xkeysib-", "xsmtpsib-"]],
  [
    "google-key",
    /\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}/y,
    ["AIza", "ya29.", "GOCSPX-"],
  ],
  ["azure-secret", /\b[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}/y, ["Q~"], [4]],
  ["azure-key", /\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/%]{20,}={0,2}/y, ["AccountKey=", "SharedAccessKey="]],
  ["openai-or-anthropic-key", /\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,}/y, ["sk-"]],
  ["hugging-face-token", /\bhf_[A-Za-z0-9]{30,}/y, ["hf_"]],
  ["npm-token", /\bnpm_[A-Za-z0-9]{30,}/y, ["npm_"]],
  ["pypi-token", /\bpypi-[A-Za-z0-9_-]{16,}/y, ["pypi-"]],
  ["rubygems-key", /\brubygems_[0-9a-f]{40,}/y, ["rubygems_"]],
  ["docker-token", /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/y, ["dckr_"]],
  ["digitalocean-token", /\bdo[por]_v1_[0-9a-f]{40,}/y, ["dop_v1_", "doo_v1_", "dor_v1_"]],
  ["shopify-token", /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{30,}/y, ["shpat_", "shpca_", "shppa_", "shpss_"]],
  ["square-token", /\bsq0(?:atp|csp)-[A-Za-z0-9_-]{20,}|\bEAAA[A-Za-z0-9_-]{50,}/y, ["sq0atp-", "sq0csp-", "EAAA"]],
  ["vault-token", /\bhv[sbr]\.[A-Za-z0-9_-]{20,}/y, ["hvs.", "hvb.", "hvr."]],
  ["terraform-token", /\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}/y, [".atlasv1."], [14]],
  ["databricks-token", /\bdapi[0-9a-f]{32}\b/y, ["dapi"]],
  [
    "doppler-token",
    /\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{20,}/y,
    ["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
  ],
  ["grafana-token", /\bgl(?:c|sa)_[A-Za-z0-9+/=_]{20,}/y, ["glc_", "glsa_"]],
  ["new-relic-key", /\bNR(?:AK|JS|II|RA)-[A-Za-z0-9_-]{16,}/y, ["NRAK", "NRJS", "NRII", "NRRA"]],
  ["sentry-token", /\bsntrys_[A-Za-z0-9+/=_]{30,}/y, ["sntrys_"]],
  ["atlassian-token", /\bATATT3[A-Za-z0-9_=-]{20,}/y, ["ATATT3"]],
  ["linear-key", /\blin_(?:api|oauth)_[A-Za-z0-9]{20,}/y, ["lin_api_", "lin_oauth_"]],
  ["notion-token", /\b(?:secret|ntn)_[A-Za-z0-9]{40,}/y, ["secret_", "ntn_"]],
  ["planetscale-token", /\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{20,}/y, ["pscale_"]],
  ["supabase-token", /\bsb(?:p|_secret)_[A-Za-z0-9_]{20,}/y, ["sbp_", "sb_secret_"]],
  ["fly-token", /\bfo1_[A-Za-z0-9_-]{30,}|\bFlyV1 fm\d_[A-Za-z0-9+/=_-]{20,}/y, ["fo1_", "FlyV1"]],
  ["telegram-token", /\b\d{8,10}:AA[A-Za-z0-9_-]{30,}/y, [":AA"], [8, 9, 10]],
  [
    "discord-webhook",
    /discord(?:app)?\.com\/api\/webhooks\/\d+\/[A-Za-z0-9_-]{30,}/y,
    ["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
  ],
  ["age-key", /\bAGE-SECRET-KEY-1[0-9A-Z]{40,}/y, ["AGE-SECRET-KEY-1"]],
  ["heroku-key", /\bHRKU-[A-Za-z0-9_-]{30,}/y, ["HRKU-"]],
  ["pulumi-token", /\bpul-[0-9a-f]{40}\b/y, ["pul-"]],
  ["mapbox-token", /\b[sp]k\.eyJ[A-Za-z0-9_.-]{20,}/y, ["sk.eyJ", "pk.eyJ"]],
];
