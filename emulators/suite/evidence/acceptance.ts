/** The criteria of acceptance, each judged by an artefact of a pack: nothing is claimed that a file does not show. */
import * as z from "zod";
import type { Files } from "./files.ts";

export interface Criterion {
  readonly name: string;
  readonly passed: boolean;
  /** Within the pack, unless it says otherwise. */
  readonly artefact: string;
  readonly detail: string;
}

/** What no file of a pack can hold of itself. */
export interface Measured {
  /** Milliseconds until each of two viewers saw what happened. */
  readonly viewersMs: readonly number[];
  /** Of two runs, with one step at once and with sixteen. */
  readonly fingerprints: readonly [string, string];
}

const Health = z.object({ after: z.object({ status: z.string(), checks: z.record(z.string(), z.unknown()) }) });
const Providers = z.object({ email: z.string(), sms: z.string(), policy: z.string(), spot: z.string() });
const Mode = z.object({ counts: z.object({ messages: z.number() }) });
const Drill = z.object({ verdict: z.string(), deadLettered: z.number(), deliveredAfterReplay: z.number() });
const Layer = z.object({ verdict: z.string() });
const Proof = z.object({ policy: Layer, process: Layer, sandbox: Layer });
const Rejections = z.array(
  z.object({
    report: z.object({
      passed: z.boolean(),
      results: z.array(z.object({ passed: z.boolean(), advisory: z.literal(true).optional() })),
    }),
  }),
);
const Texts = z.array(z.object({ body: z.string().nullable() }));
/** What the scenario sends, twice with the same Idempotency-Key: once is right. */
const acceptanceSms = "Call time is 06:30";
const slowestViewerMs = 2_000;

export function judge(files: Files, { viewersMs, fingerprints }: Measured): readonly Criterion[] {
  const text = (path: string) => files.get(path)?.toString("utf8") ?? "";
  const read = <T>(path: string, schema: z.ZodType<T>): T | undefined => {
    const bytes = files.get(path);
    return bytes ? schema.safeParse(JSON.parse(bytes.toString("utf8"))).data : undefined;
  };
  const health = read("health.json", Health)?.after;
  const providers = read("providers.json", Providers);
  const messages = read("mode.json", Mode)?.counts.messages ?? 0;
  const sms = read("sms/messages.json", Texts)?.filter(({ body }) => body === acceptanceSms).length ?? 0;
  const matrix = read("webhooks/rejections.json", Rejections)?.[0]?.report;
  const cases = matrix?.results.filter(({ advisory }) => advisory === undefined) ?? [];
  const drill = read("deadletter/drill.json", Drill);
  const proof = read("egress/proof.json", Proof);
  const sample = (name: string, artefact: string, line: RegExp, detail: string): Criterion => ({
    name,
    passed: line.test(text(artefact)),
    artefact,
    detail,
  });
  return [
    {
      name: "All services are healthy",
      passed: health?.status === "healthy" && Object.keys(health.checks).length === 4,
      artefact: "health.json",
      detail: `${Object.keys(health?.checks ?? {}).join(", ")}: ${health?.status}`,
    },
    {
      name: "Providers are listed",
      passed: providers !== undefined && Object.values(providers).every((name) => name.startsWith("backlot-")),
      artefact: "providers.json",
      detail: Object.values(providers ?? {}).join(", "),
    },
    {
      name: "Mail is captured",
      passed: messages > 0,
      artefact: "smtp/messages.json",
      detail: `${messages} messages`,
    },
    {
      name: "SMS are captured",
      passed: sms === 1,
      artefact: "sms/messages.json",
      detail: `"${acceptanceSms}", sent twice with one Idempotency-Key, is there ${sms === 1 ? "once" : `${sms} times`}`,
    },
    {
      name: "Live updates reach a second viewer within 2 s",
      passed: viewersMs.length === 2 && viewersMs.every((ms) => ms <= slowestViewerMs),
      artefact: "beside the pack: viewers.json",
      detail: `after ${viewersMs.map((ms) => `${Math.ceil(ms)} ms`).join(" and ")}`,
    },
    sample("A cache hit is answered 304", "samples/304.http", /^HTTP\/1\.1 304 /m, "the same list with its ETag"),
    sample(
      "A limit that is reached is answered 429 with Retry-After",
      "samples/429.http",
      /^HTTP\/1\.1 429 [\s\S]*^retry-after: \d+$/m,
      "the second of two requests",
    ),
    {
      name: "Unsigned, expired and tampered webhooks are rejected",
      passed: matrix?.passed === true,
      artefact: "webhooks/rejections.json",
      detail: `${cases.filter(({ passed }) => passed).length} of ${cases.length} cases judged as they should be`,
    },
    sample(
      "A repeated request is answered as the first and not done twice",
      "samples/idempotency.http",
      /^idempotent-replayed: true$/m,
      "the same Idempotency-Key",
    ),
    {
      name: "Dead letters are replayed and arrive once",
      passed: drill?.verdict === "passed",
      artefact: "deadletter/drill.json",
      detail: `${drill?.deliveredAfterReplay ?? 0} of ${drill?.deadLettered ?? 0} delivered after the replay`,
    },
    {
      name: "Two runs give the same bytes",
      passed: fingerprints[0] === fingerprints[1],
      artefact: "beside the pack: pack.tar",
      detail: `one step at a time and sixteen at once (second-run.tar): sha256 ${[...new Set(fingerprints)].join(" and ")}`,
    },
    {
      name: "Nothing called the network",
      passed: proof?.policy.verdict === "nothing tried" && proof.process.verdict === "connected to loopback only",
      artefact: "egress/proof.json",
      detail: proof
        ? `at the gateway ${proof.policy.verdict}; the process ${proof.process.verdict}; sandbox ${proof.sandbox.verdict}`
        : "no proof",
    },
  ];
}

export function acceptanceText(criteria: readonly Criterion[], screenshots: readonly string[]): string {
  const failed = criteria.filter(({ passed }) => !passed).length;
  const rows = criteria.map(
    ({ name, passed, artefact, detail }) => `| ${name} | ${passed ? "met" : "NOT MET"} | ${artefact} | ${detail} |`,
  );
  return `# Acceptance: ${failed === 0 ? "every criterion is met" : `${failed} of ${criteria.length} criteria are NOT met`}

The pack in pack/ shows each of them; \`backlot evidence verify pack\` checks it, \`pack.tar\` is the same as one file,
and \`second-run.tar\` that of a second run: \`cmp pack.tar second-run.tar\`.

| criterion | verdict | artefact | what it shows |
|---|---|---|---|
${rows.join("\n")}

## Screenshots

${screenshots.length === 0 ? "Not taken: no Chromium was found (CHROMIUM, or `chromium` on the path), or it gave none of the console." : screenshots.map((path) => `- pack/${path}`).join("\n")}
`;
}
