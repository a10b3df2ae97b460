/** Records a run of a suite: marks where the journals stand, and when it stops makes a pack of what came after. */
import { createHmac } from "node:crypto";
import { isoMilliseconds, stopwatch } from "../../kernel/clock.ts";
import { packageVersion } from "../../kernel/control-journal.ts";
import { definitions, type Settings } from "../../kernel/settings.ts";
import { ask, askAll } from "../member.ts";
import type { Suite } from "../suite.ts";
import { derivedKey, type SigningKey, sha256 } from "./attestation.ts";
import { canonicalJson, canonicalLine } from "./canonical.ts";
import { exportState } from "./exports.ts";
import { type HttpArchive, normalArchive, rawArchive, wireText } from "./http-archive.ts";
import { junit } from "./junit.ts";
import { mailArtefacts } from "./mails.ts";
import { type Artefact, buildPack } from "./pack.ts";
import { packReadme } from "./readme.ts";
import { createRedactor, type Redactor, secretsIn } from "./redact.ts";
import { failFast } from "./refusals.ts";
import { reportHtml } from "./report.ts";
import { chartsOf } from "./report-facts.ts";
import type { StepResult } from "./scenario/run.ts";
import { type JournalPage, journalOf, namesForAddresses, type Shown, textOf } from "./shown.ts";
import { webhookLog } from "./webhook-log.ts";

export interface RecordOptions {
  readonly title?: string;
  readonly about?: string;
  /** Name of the scenario, and the bytes of its file. */
  readonly scenario?: { readonly name: string; readonly source: string };
  /** Absent: derived from the seed, which shows integrity only. */
  readonly key?: SigningKey;
  /** Asks every service to be real for a moment, at the end: for suites that nobody else uses. */
  readonly failFast?: boolean;
  /** The environment it runs in: of variables that look like credentials the names are kept, in volatile/. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface Recording {
  /** @param steps of the scenario that was played */
  stop(steps?: readonly StepResult[]): Promise<Recorded>;
}

export interface Recorded {
  /** Every file of the pack by its path. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** `20260101-seed42`: date of the virtual clock. */
  readonly name: string;
}

type Marks = ReadonlyMap<string, JournalPage>;

/** @throws when the journals could not hold the run, or a credential was left in the finished pack */
export async function startRecording(suite: Suite, options: RecordOptions = {}): Promise<Recording> {
  const elapsed = stopwatch();
  const before = await health(suite);
  const start = suite.clock.now();
  const marks = await marksOf(suite);
  return { stop: (steps = []) => finish({ suite, options, before, start, marks, steps, elapsed }) };
}

interface Run {
  readonly suite: Suite;
  readonly options: RecordOptions;
  readonly before: unknown;
  readonly start: number;
  readonly marks: Marks;
  readonly steps: readonly StepResult[];
  readonly elapsed: () => number;
}

async function finish(run: Run): Promise<Recorded> {
  const { suite, options, start, marks, steps } = run;
  const key = options.key ?? derivedKey(suite.settings.seed);
  const redactor = createRedactor(key.origin === "file" ? saltOf(key) : undefined);
  const places = namesForAddresses(suite.members);
  const version = packageVersion();
  const end = suite.clock.now();
  const journals = await readJournals(suite, marks);
  const artefacts: Artefact[] = [];
  const add = (path: string, kind: Artefact["class"], about: string, bytes: string | Uint8Array) =>
    artefacts.push({ path, class: kind, mediaType: mediaTypeOf(path), about, bytes: Buffer.from(bytes) });

  const archives = new Map<string, HttpArchive>();
  for (const [service, entries] of journals) {
    const requests = entries.filter(({ kind }) => kind === "request");
    const made = { service, version, redactor, places };
    const normal = normalArchive(requests, made);
    archives.set(service, normal);
    add(`http/${service}.har`, "norm", `Requests to ${service}`, `${JSON.stringify(normal)}\n`);
    add(
      `volatile/http/${service}.har`,
      "vol",
      `The same with real times`,
      `${JSON.stringify(rawArchive(requests, made))}\n`,
    );
  }
  artefacts.push(...samplesOf(archives));
  const mails = suite.members.find(({ name }) => name === "smtp");
  const mailed = mails ? await mailArtefacts(mails, redactor, places) : { artefacts: [], count: 0, left: 0 };
  artefacts.push(...mailed.artefacts);
  const webhooks = await webhookLog(suite.members, redactor, places);
  artefacts.push(...webhooks.artefacts);
  const exported = await exportState(suite, redactor, places);
  artefacts.push(...exported.artefacts);
  const egress = await egressOf(run, redactor);
  artefacts.push(...egress.artefacts);
  add(
    "health.json",
    "norm",
    "Health before and after",
    canonicalJson({ before: run.before, after: await health(suite) }),
  );
  add(
    "providers.json",
    "norm",
    "What stood in for what",
    canonicalJson(JSON.parse(await (await suite.control("GET", "/_backlot/providers")).text())),
  );
  if (options.failFast) artefacts.push(...(await failFast(suite, (text) => redactor.text(places(text)))));
  const probes = steps.flatMap(({ name, probe }) =>
    probe === undefined ? [] : [{ step: name, report: timeless(probe) }],
  );
  if (probes.length > 0)
    add(
      "webhooks/rejections.json",
      "norm",
      "The signature rejection matrix sent to receivers",
      redactor.text(places(canonicalJson(probes))),
    );
  add("tests/junit.xml", "norm", "Steps of the scenario as test cases", junit(options.scenario?.name ?? "run", steps));

  const missing = [
    ...exported.missing.map((text) => redactor.text(places(text))),
    ...(mailed.left > 0 ? [`${mailed.left} older messages are counted and not in the pack`] : []),
    "screenshots: not taken",
  ];
  const requests = Object.fromEntries([...archives].map(([service, { log }]) => [service, log.entries.length]));
  const mode = {
    mode: suite.mode,
    seed: suite.settings.seed,
    scenario:
      options.scenario === undefined ? null : { name: options.scenario.name, sha256: sha256(options.scenario.source) },
    clock: { mode: clockMode(suite.settings), start: isoMilliseconds(start), end: isoMilliseconds(end) },
    version,
    settings: shownSettings(suite.settings, redactor),
    services: suite.members.map(({ name }) => name),
    counts: {
      requests,
      messages: mailed.count,
      attempts: webhooks.attempts,
      deadLettered: webhooks.drill.deadLettered,
    },
    notCovered: missing,
  };
  add("mode.json", "norm", "What ran: mode, seed, scenario, clock, settings", canonicalJson(mode));
  const title = options.title ?? options.scenario?.name ?? `Evidence of seed ${suite.settings.seed}`;
  const counts: readonly (readonly [string, string])[] = [
    ...Object.entries(requests).map(([service, n]) => [`Requests to ${service}`, String(n)] as const),
    ["Messages captured", String(mailed.count)],
    ["Webhook attempts", String(webhooks.attempts)],
    ["Dead-letter drill", webhooks.drill.verdict],
    ["Nothing left the machine", egress.verdict],
  ];
  const charts = chartsOf(artefacts, journals);
  const facts = {
    title,
    about: options.about ?? "",
    seed: mode.seed,
    start: mode.clock.start,
    end: mode.clock.end,
    version,
    steps,
    counts,
    missing,
    ...charts,
  };
  add("report/index.html", "norm", "The run on one page", redactor.text(reportHtml(facts)));
  add("README.md", "norm", "What this is and how to check it", packReadme({ ...facts, signed: key.origin === "file" }));
  add(
    "volatile/durations.json",
    "vol",
    "Real durations",
    canonicalJson({ wallMs: run.elapsed(), steps: steps.map(({ order, name, wallMs }) => ({ order, name, wallMs })) }),
  );
  add("volatile/host.json", "vol", "The machine it ran on", canonicalJson(hostOf(options)));

  const passed = steps.every(({ failure }) => failure === undefined);
  const predicate = {
    seed: mode.seed,
    scenario: mode.scenario,
    clockStart: mode.clock.start,
    clockEnd: mode.clock.end,
    services: mode.services,
    mode: mode.mode,
    version,
    drillVerdict: webhooks.drill.verdict,
    egressVerdict: egress.verdict,
    tests: { total: steps.length, result: passed ? "PASSED" : "FAILED" },
  };
  const files = buildPack({ artefacts, predicate, key });
  refuseSecrets(files);
  return {
    files,
    name: `${mode.clock.start.slice(0, 10).replaceAll("-", "")}-${mode.seed.replace(/[^A-Za-z0-9._-]/g, "-")}`,
  };
}

async function health(suite: Suite): Promise<unknown> {
  const found: unknown = JSON.parse(await (await suite.control("GET", "/_backlot/health")).text());
  return lasting(found);
}

/** Health without latencies, counts and times. */
function lasting(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(lasting);
  const kept = ["status", "mode", "checks", "error", "hint", "configuration_hints"];
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, part]) => kept.includes(name) || (typeof part === "object" && part !== null))
      .map(([name, part]) => [name, lasting(part)]),
  );
}

/** A probe's report without how long it took. */
function timeless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) => (/(Ms|At|timestamp)$/.test(name) ? [] : [[name, timeless(part)]])),
  );
}

async function marksOf({ members }: Suite): Promise<Marks> {
  return new Map(await askAll<JournalPage>(members, "GET", "/_backlot/journal?limit=1"));
}

async function readJournals(suite: Suite, marks: Marks): Promise<ReadonlyMap<string, readonly Shown[]>> {
  const journals = new Map<string, readonly Shown[]>();
  for (const member of suite.members) {
    const now = await ask<JournalPage>(member, "GET", "/_backlot/journal?limit=1");
    const then = marks.get(member.name);
    if (now.dropped !== then?.dropped || now.epoch !== then.epoch)
      throw new Error(
        `The journal of ${member.name} did not hold the whole run; raise BACKLOT_JOURNAL_SIZE and BACKLOT_JOURNAL_BYTES.`,
      );
    journals.set(member.name, await journalOf(member, then.last, now.last));
  }
  return journals;
}

/** The exchanges an auditor looks for first, as on the wire; the one before a replay or a 304 beside it. */
function samplesOf(archives: ReadonlyMap<string, HttpArchive>): readonly Artefact[] {
  const entries = [...archives.values()].flatMap(({ log }) => log.entries);
  const header = (entry: (typeof entries)[number], name: string) =>
    entry.response.headers.find((one) => one.name === name)?.value;
  const wanted = {
    "429": entries.filter(({ response }) => response.status === 429),
    "304": entries.filter(({ response }) => response.status === 304),
    "401": entries.filter(({ response }) => response.status === 401 || response.status === 403),
    "503": entries.filter(({ response }) => response.status === 503),
    idempotency: entries.filter((entry) => header(entry, "idempotent-replayed") === "true"),
    pagination: entries.filter(({ response }) =>
      /"(?:next_page_uri|@odata\.nextLink|nextLink)":\s*"|<nextToken>[^<]/.test(response.content.text ?? ""),
    ),
  };
  return Object.entries(wanted).flatMap(([name, [found]]) => {
    if (!found) return [];
    const before = entries.findLast(
      (entry) =>
        entry !== found &&
        entry.request.url === found.request.url &&
        entry.request.method === found.request.method &&
        entries.indexOf(entry) < entries.indexOf(found),
    );
    const text = [before, found].flatMap((entry) => (entry ? [wireText(entry)] : [])).join("\n");
    return [
      {
        path: `samples/${name}.http`,
        class: "norm" as const,
        mediaType: "message/http",
        about: `A request answered so: ${name}`,
        bytes: Buffer.from(text),
      },
    ];
  });
}

async function egressOf(run: Run, redactor: Redactor): Promise<{ artefacts: readonly Artefact[]; verdict: string }> {
  const found = JSON.parse(await (await run.suite.control("GET", "/_backlot/egress")).text()) as {
    refused: readonly Shown[];
    allowed: readonly Shown[];
  };
  const line = (verdict: string) => (entry: Shown) =>
    canonicalLine({
      verdict,
      at: entry.at,
      service: entry.emulator,
      target: entry.target ?? entry.subject,
      method: entry.method,
      by: entry.by,
      reason: entry.reason,
    });
  const lines = [...found.refused.map(line("refused")), ...found.allowed.map(line("allowed"))].sort();
  const verdict =
    found.allowed.length > 0
      ? "some was let through"
      : found.refused.length > 0
        ? "refused what tried"
        : "nothing tried";
  const secretNames = Object.keys(run.options.environment ?? {})
    .filter(
      (name) => /(TOKEN|SECRET|PASSWORD|PRIVATE|API_?KEY|CREDENTIAL)/i.test(name) && !/^(BACKLOT|npm)_/.test(name),
    )
    .sort();
  const proof = {
    policy: { verdict, refused: found.refused.length, allowed: found.allowed.length },
    process: { verdict: "not observed", limit: "what the application's own process did is seen at the gateway only" },
    sandbox: {
      verdict:
        run.options.environment?.BACKLOT_SANDBOX === "1" ? "in a network namespace with loopback only" : "not used",
    },
  };
  const file = (path: string, kind: Artefact["class"], about: string, text: string): Artefact => ({
    path,
    class: kind,
    mediaType: mediaTypeOf(path),
    about,
    bytes: Buffer.from(text),
  });
  return {
    verdict,
    artefacts: [
      file(
        "egress/ledger.jsonl",
        "norm",
        "What tried to leave, and what was let through",
        redactor.text(lines.map((one) => `${one}\n`).join("")),
      ),
      file("egress/proof.json", "norm", "What that shows and what it does not", canonicalJson(proof)),
      file(
        "volatile/credentials.json",
        "vol",
        "Names of variables that look like credentials",
        canonicalJson({ present: secretNames }),
      ),
    ],
  };
}

/** Settings that were changed; ports, folders and limits of recording say nothing about the run. */
function shownSettings(settings: Settings, redactor: Redactor): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, { env, group }] of Object.entries(definitions)) {
    const own = /^BACKLOT_(SEED|PACE|ONLY|BODY_LIMIT|WEBHOOK_SIGNATURES|RATE_LIMIT)|^FEATURE_/.test(env);
    if (!own || group === "Ports") continue;
    const value = settings[name as keyof Settings];
    shown[env] = redactor.text(Array.isArray(value) ? value.join(",") : String(value ?? ""));
  }
  return shown;
}

const clockMode = ({ clock }: Settings) => String(typeof clock === "string" ? clock : "").split("@")[0] ?? "";

function saltOf({ key }: SigningKey): Buffer {
  return createHmac("sha256", key.export({ format: "der", type: "pkcs8" }))
    .update("backlot.evidence.redaction")
    .digest();
}

function hostOf({ environment = {} }: RecordOptions): Record<string, unknown> {
  const { platform, arch, version } = process;
  return {
    platform,
    arch,
    node: version,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    locale: environment.LC_ALL ?? environment.LANG ?? null,
  };
}

function refuseSecrets(files: ReadonlyMap<string, Buffer>): void {
  const found = [...files].flatMap(([path, bytes]) =>
    secretsIn(path, bytes).map(({ kind, line }) => `${path}:${line} (${kind})`),
  );
  if (found.length > 0)
    throw new Error(`Nothing was written: what looks like a credential is left in ${found.slice(0, 10).join(", ")}.`);
}

const mediaTypes: Readonly<Record<string, string>> = {
  har: "application/har+json",
  json: "application/json",
  jsonl: "application/x-ndjson",
  md: "text/markdown",
  html: "text/html",
  xml: "application/xml",
};

function mediaTypeOf(path: string): string {
  return mediaTypes[textOf(path.split(".").at(-1))] ?? "application/octet-stream";
}
