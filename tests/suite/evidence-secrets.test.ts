import { expect, test } from "vitest";
import { startRecording } from "../../emulators/suite/evidence/record.ts";
import { createRedactor, secretsIn } from "../../emulators/suite/evidence/redact.ts";
import { sendMail } from "../../emulators/suite/evidence/scenario/mail-client.ts";
import { createSuite } from "../../emulators/suite/suite.ts";

/** Deterministic filler over an alphabet: no real credential, and the shape of one. */
const fill = (n: number, alphabet = "aB3dE5gH7jK9mN2pQ4rS6tU8vW1xY0z") =>
  Array.from({ length: n }, (_, i) => alphabet[(i * 7 + n) % alphabet.length]).join("");
const hex = (n: number) => fill(n, "0a1b2c3d4e5f6789");

const planted: readonly string[] = [
  `AKIA${fill(16, "ABCDEFGHIJ234567")}`,
  `ASIA${fill(16, "ABCDEFGHIJ234567")}`,
  `aws_secret_access_key=${fill(40)}`,
  `SK${hex(32)}`,
  `whsec_${fill(32)}`,
  `sk_live_${fill(24)}`,
  `rk_test_${fill(24)}`,
  `ghp_${fill(36)}`,
  `gho_${fill(36)}`,
  `github_pat_${fill(60)}`,
  `glpat-${fill(20)}`,
  `xoxb-123456789012-${fill(24)}`,
  `xapp-1-${fill(24)}`,
  `https://hooks.slack.com/services/T00000000/B00000000/${fill(24)}`,
  `SG.${fill(22)}.${fill(43)}`,
  `key-${hex(32)}`,
  `${hex(32)}-us12`,
  `xkeysib-${hex(64)}-${fill(16)}`,
  `AIza${fill(35)}`,
  `ya29.${fill(40)}`,
  `GOCSPX-${fill(28)}`,
  `abc8Q~${fill(34)}`,
  `DefaultEndpointsProtocol=https;AccountKey=${fill(86)}==`,
  `sk-ant-api03-${fill(40)}`,
  `sk-proj-${fill(40)}`,
  `hf_${fill(34)}`,
  `npm_${fill(36)}`,
  `pypi-${fill(40)}`,
  `rubygems_${hex(48)}`,
  `dckr_pat_${fill(27)}`,
  `dop_v1_${hex(64)}`,
  `shpat_${hex(32)}`,
  `sq0atp-${fill(22)}`,
  `hvs.${fill(24)}`,
  `${fill(14)}.atlasv1.${fill(60)}`,
  `dapi${hex(32)}`,
  `dp.pt.${fill(40)}`,
  `glsa_${fill(32)}`,
  `NRAK-${fill(27)}`,
  `sntrys_${fill(60)}`,
  `ATATT3${fill(40)}`,
  `lin_api_${fill(40)}`,
  `pscale_tkn_${fill(40)}`,
  `sbp_${hex(40)}`,
  `1234567890:AA${fill(33)}`,
  `https://discord.com/api/webhooks/123456/${fill(60)}`,
  `AGE-SECRET-KEY-1${fill(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")}`,
  `postgres://app:${fill(16)}@db.example.com/app`,
  `eyJhbGciOiJIUzI1NiJ9.${fill(40)}.${fill(43)}`,
  `-----BEGIN PRIVATE KEY-----\n${fill(64)}\n${fill(40)}\n-----END PRIVATE KEY-----`,
  `password=${fill(12)}`,
  `"client_secret": "${fill(30)}"`,
  "+4915112345678",
  "jane.doe@gmail.com",
];

/** The part that nobody may read again. */
const core = (secret: string) =>
  /(?:password=|"client_secret": "|aws_secret_access_key=|AccountKey=|app:|KEY-----\n)([A-Za-z0-9]+)/.exec(
    secret,
  )?.[1] ?? secret;

test("every shape is replaced, and what replaced it is left alone", () => {
  expect(planted.length).toBeGreaterThanOrEqual(50);
  for (const salt of [undefined, Buffer.from("a salt")]) {
    const redactor = createRedactor(salt);
    for (const secret of planted) {
      const clean = redactor.text(`before ${secret} after`);
      expect(clean, secret).not.toContain(core(secret));
      expect(clean).toMatch(/^before .*REDACTED[\s\S]* after$/s);
      expect(secretsIn("x", Buffer.from(clean)), clean).toEqual([]);
      expect(redactor.text(clean)).toBe(clean);
    }
  }
});

test("the scan of a finished pack finds every shape, wherever it stands and however it is hidden", () => {
  const around = "Nothing to be seen here, and a line end.\n".repeat(60);
  for (const secret of planted) {
    const [line, ...others] = secretsIn("x", Buffer.from(`${around}before ${secret} after\n${around}`));
    expect(line?.line, secret).toBeGreaterThanOrEqual(61);
    expect(others.length, secret).toBeLessThan(4);
    expect(
      secretsIn("x", Buffer.from(`q=${encodeURIComponent(secret).replaceAll("-", "%2D")}&x=1`)),
      secret,
    ).not.toEqual([]);
    const hidden = Buffer.from(`${around}${secret}\n`).toString("base64").replace(/.{76}/g, "$&\r\n");
    expect(secretsIn("x", Buffer.from(`A part:\r\n\r\n${hidden}\r\n`)), secret).not.toEqual([]);
  }
});

test("of a picture all but its pixels is searched", () => {
  const chunk = (type: string, content: string) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(content.length);
    return Buffer.concat([head, Buffer.from(type + content, "latin1"), Buffer.alloc(4)]);
  };
  const png = (...chunks: readonly Buffer[]) => Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
  const secret = `\0jane.doe@gmail.com\0`;
  expect(secretsIn("a.png", png(chunk("IDAT", secret), chunk("IEND", "")))).toEqual([]);
  expect(secretsIn("a.png", png(chunk("tEXt", secret), chunk("IEND", "")))).not.toEqual([]);
  expect(secretsIn("a.png", Buffer.concat([png(chunk("IEND", "")), Buffer.from(secret)]))).not.toEqual([]);
  expect(secretsIn("a.png", Buffer.from(secret))).not.toEqual([]);
});

test("what stands in for nothing secret stays", () => {
  const { text } = createRedactor();
  for (const plain of [
    "+12025550110",
    "%2B15005550006",
    "app@backlot.test, guest@customer.example",
    "NextToken=abcdefgh&PageToken=PASMx",
    '{"webhook-signature":"v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="}',
    "X-Twilio-Signature: RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    "Your code is 481516",
  ])
    expect(text(plain)).toBe(plain);
});

test("credentials in headers, queries, bodies, mails and SMTP AUTH are nowhere in the pack", async () => {
  const suite = await createSuite({
    only: ["twilio", "smtp"],
    clock: "frozen@2026-01-01T00:00:00Z",
    environment: { BACKLOT_LOG_LEVEL: "silent" },
  });
  try {
    const recording = await startRecording(suite);
    const messages = `${suite.services.twilio?.url}/2010-04-01/Accounts/${suite.env.TWILIO_ACCOUNT_SID}/Messages.json`;
    const seeded = `Basic ${btoa(`${suite.env.TWILIO_ACCOUNT_SID}:${suite.env.TWILIO_AUTH_TOKEN}`)}`;
    for (const [n, secret] of planted.entries()) {
      const inHeader = secret.replaceAll("\n", " ");
      await fetch(`${messages}?q=${encodeURIComponent(secret)}&token=query-token-${n}`, {
        headers: {
          authorization: n % 2 ? seeded : `Bearer ${inHeader}`,
          "x-api-key": inHeader,
          "x-other": inHeader,
          cookie: `session=cookie-value-${n}`,
        },
      });
      await fetch(messages, {
        method: "POST",
        headers: { authorization: seeded },
        body: new URLSearchParams({ To: "+12025550110", From: suite.env.TWILIO_PHONE_NUMBER ?? "", Body: secret }),
      });
      const encoded = Buffer.from(`A text, and then\n${secret}\n`).toString("base64").replace(/.{76}/g, "$&\r\n");
      const quoted = secret.replaceAll("=", "=3D").replace(/.{30}/g, "$&=\r\n").replaceAll("\n-", "\r\n-");
      await sendMail(suite.services.smtp?.host ?? "", suite.services.smtp?.port ?? 0, {
        from: "app@backlot.test",
        to: ["guest@customer.example"],
        user: { name: "app", password: `smtp-password-${n}` },
        message: [
          `Subject: Secret ${n}`,
          `X-Secret: ${inHeader}`,
          'Content-Type: multipart/mixed; boundary="b"',
          "",
          "--b",
          "Content-Type: text/plain",
          "Content-Transfer-Encoding: base64",
          "",
          encoded,
          "--b",
          "Content-Type: text/plain",
          "Content-Transfer-Encoding: quoted-printable",
          "",
          quoted,
          "--b--",
          "",
        ].join("\r\n"),
      });
    }
    const { files } = await recording.stop();
    const whole = [...files].map(([path, bytes]) => [path, decoded(bytes.toString("latin1"))] as const);
    const values = planted.flatMap((secret, n) => [
      core(secret),
      `query-token-${n}&`,
      `cookie-value-${n}`,
      `smtp-password-${n}\r`,
    ]);
    values.push(suite.env.TWILIO_AUTH_TOKEN ?? "", btoa("\0app\0smtp-password-1"));
    for (const value of values)
      for (const [path, text] of whole)
        for (const form of [value, value.replaceAll("\n", "\\n"), encodeURIComponent(value)])
          expect(text.includes(form), `${form} in ${path}`).toBe(false);
  } finally {
    await suite.close();
  }
});

/** With what MIME hides: base64 lines and soft breaks. */
function decoded(text: string): string {
  const plain = text.replace(
    /(?:^[A-Za-z0-9+/]{76}\r?\n)*^[A-Za-z0-9+/]{16,76}={0,2}\r?$/gm,
    (lines) => `${lines}${Buffer.from(lines, "base64").toString("latin1")}`,
  );
  return plain + plain.replace(/=\r?\n/g, "").replaceAll("=3D", "=");
}
