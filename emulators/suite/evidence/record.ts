/** Records a run of a suite: marks where the journals stand, and when it stops makes a pack of what came after. */
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Instant, isoMilliseconds, stopwatch } from "../../kernel/clock.ts";
import { packageVersion } from "../../kernel/control-journal.ts";
import type { Suite } from "../suite.ts";
import { archiveJournals } from "./archives.ts";
import { type Artefact, artefact } from "./artefact.ts";
import { derivedKey, type SigningKey, sha256 } from "./attestation.ts";
import { canonicalJson } from "./canonical.ts";
import { type ConnectionWatch, watchConnections } from "./connections.ts";
import { egressProof } from "./egress-proof.ts";
import { exportState } from "./exports.ts";
import type { Files } from "./files.ts";
import { liftMarks, type Marks, markJournals } from "./journals.ts";
import { junit } from "./junit.ts";
import { writeMails } from "./mails.ts";
import { createPackWriter, inFolder, inMemory, type Place, packFingerprint, writeArchive } from "./pack.ts";
import { packReadme } from "./readme.ts";
import { createRedactor } from "./redact.ts";
import { failFast } from "./refusals.ts";
import { reportHtml } from "./report.ts";
import { chartsOf } from "./report-facts.ts";
import { ciOf, clockMode, type Environment, healthOf, hostOf, shownSettings, timeless } from "./run-facts.ts";
import type { StepResult } from "./scenario/run.ts";
import { namesForAddresses } from "./shown.ts";
import { webhookLog } from "./webhook-log.ts";

export interface RecordOptions {
  readonly title?: string;
  readonly about?: string;
  /** Name of the scenario, and the bytes of its file. */
  readonly scenario?: { readonly name: string; readonly source: string };
  /** Absent: derived from the seed, which shows integrity only. */
  readonly key?: SigningKey;
  /**
   * Where the pack is to stand. Until it stands there whole, `<folder>.partial` says that a recording began and did not
   * come to its end.
   */
  readonly folder?: string;
  /** Asks every service to be real for a moment, at the end: for suites that nobody else uses. */
  readonly failFast?: boolean;
  /** Takes pictures when everything has happened and been read; they go to volatile/screenshots/. */
  readonly pictures?: () => Promise<ReadonlyMap<string, Buffer>>;
  /** The environment it runs in: of variables that look like credentials the names are kept, in volatile/. */
  readonly environment?: Environment;
}

export interface Recording {
  /** @param steps of the scenario that was played */
  stop(steps?: readonly StepResult[]): Promise<Recorded>;
}

export interface Recorded {
  /** Every file of the pack by its path. */
  readonly files: Files;
  /** `20260101-seed42`: date of the virtual clock. */
  readonly name: string;
  /** SHA-256 of the archive: two runs of the same seed, scenario and version have the same. */
  readonly fingerprint: string;
  /** Where it was written, if a folder was given. */
  readonly folder?: string;
  /** The pack without volatile/ as an archive. */
  writeTar(file: string): void;
}

/** `20260101-seed42`: date of the virtual clock and seed. */
export function packName({ clock, settings }: Suite): string {
  return nameOf(clock.now(), settings.seed);
}

const nameOf = (start: Instant, seed: string) =>
  `${isoMilliseconds(start).slice(0, 10).replaceAll("-", "")}-${seed.replace(/[^A-Za-z0-9._-]/g, "-")}`;

/** @throws when the folder is there already */
export async function startRecording(suite: Suite, options: RecordOptions = {}): Promise<Recording> {
  const folder = options.folder === undefined ? undefined : resolve(options.folder);
  if (folder !== undefined) {
    if (existsSync(folder)) throw new Error(`${folder} is already there; give another folder.`);
  }
  const place = folder === undefined ? inMemory() : inFolder(folder);
  const elapsed = stopwatch();
  const before = await healthOf(suite);
  const start = suite.clock.now();
  const marks = await markJournals(suite.members);
  const connections = watchConnections();
  return {
    async stop(steps = []) {
      try {
        const recorded = await finish({ suite, options, place, before, start, marks, connections, steps, elapsed });
        return folder === undefined ? recorded : { ...recorded, folder };
      } finally {
        connections.close();
        await liftMarks(suite.members, marks);
      }
    },
  };
}

interface Run {
  readonly suite: Suite;
  readonly options: RecordOptions;
  readonly place: Place;
  readonly before: unknown;
  readonly start: Instant;
  readonly marks: Marks;
  readonly connections: ConnectionWatch;
  readonly steps: readonly StepResult[];
  readonly elapsed: () => number;
}

async function finish(run: Run): Promise<Recorded> {
  const { suite, options, start, steps } = run;
  const key = options.key ?? derivedKey(suite.settings.seed);
  const redactor = createRedactor(key.origin === "file" ? saltOf(key) : undefined);
  const places = namesForAddresses(suite.members);
  const clean = (text: string) => redactor.text(places(text));
  const version = packageVersion();
  const end = suite.clock.now();
  const pack = createPackWriter(run.place);

  const { members } = suite;
  const archived = await archiveJournals(pack, { members, marks: run.marks, redactor, places, version });
  const postOffice = members.find(({ name }) => name === "smtp");
  // By the messages: a session ends when its client hangs up, at whatever time the clock then shows.
  const mailed = postOffice ? await writeMails(pack, postOffice, redactor, places) : { times: [] };
  const webhooks = await webhookLog(members, redactor, places, steps);
  const exported = await exportState(pack, suite, { redactor, places, since: start });
  const egress = await egressProof(suite, {
    redactor,
    environment: options.environment ?? {},
    elsewhere: await run.connections.elsewhere(members.flatMap(({ addresses }) => addresses.map(({ host }) => host))),
  });
  for (const each of [archived.samples, webhooks.artefacts, exported.artefacts, egress.artefacts])
    for (const one of each) pack.add(one);
  for (const one of await servicesArtefacts(run, clean)) pack.add(one);
  for (const one of stepArtefacts(run, clean)) pack.add(one);
  for (const one of await pictureArtefacts(options)) pack.add(one);

  const missing = exported.missing.map(clean);
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
      requests: archived.requests,
      messages: mailed.times.length,
      attempts: webhooks.attempts,
      deadLettered: webhooks.drill.deadLettered,
    },
    notCovered: missing,
  };
  const facts = {
    title: clean(options.title ?? options.scenario?.name ?? `Evidence of seed ${mode.seed}`),
    about: clean(options.about ?? ""),
    seed: mode.seed,
    start: mode.clock.start,
    end: mode.clock.end,
    version,
    steps,
    counts: [
      ...Object.entries(archived.requests).map(
        ([service, n]) => [`Requests to ${service}`, String(n), `http/${service}.har`] as const,
      ),
      ...(postOffice ? [["Messages captured", String(mailed.times.length), "smtp/messages.json"] as const] : []),
      ["Webhook attempts", String(webhooks.attempts), "webhooks/deliveries.jsonl"],
      ["Dead-letter drill", webhooks.drill.verdict, "deadletter/drill.md"],
      ["Nothing left the machine", egress.verdict, "egress/proof.json"],
    ] as const,
    missing,
    ...chartsOf(exported.artefacts, [
      ...archived.happened,
      ...(mailed.times.length === 0 ? [] : [{ name: "smtp messages", at: mailed.times }]),
    ]),
  };
  for (const one of [
    artefact("mode.json", "What ran: mode, seed, scenario, clock, settings", canonicalJson(mode)),
    artefact("report/index.html", "The run on one page", redactor.text(reportHtml(facts))),
    artefact("README.md", "What this is and how to check it", packReadme({ ...facts, signed: key.origin === "file" })),
  ])
    pack.add(one);

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
  const files = pack.finish({ predicate, key });
  return {
    files,
    name: nameOf(start, mode.seed),
    fingerprint: packFingerprint(files, start),
    writeTar: (file) => writeArchive(file, files, start),
  };
}

/** How the services were before and after, what they stand in for, and how they refuse to be the real thing. */
async function servicesArtefacts({ suite, before, options }: Run, clean: (text: string) => string) {
  const providers: unknown = JSON.parse(await (await suite.control("GET", "/_backlot/providers")).text());
  return [
    artefact("health.json", "Health before and after", canonicalJson({ before, after: await healthOf(suite) })),
    artefact("providers.json", "What stood in for what", canonicalJson(providers)),
    ...(options.failFast ? await failFast(suite, clean) : []),
  ];
}

function stepArtefacts({ options, steps, elapsed }: Run, clean: (text: string) => string): readonly Artefact[] {
  const probes = steps.flatMap(({ name, probe }) =>
    probe === undefined ? [] : [{ step: name, report: timeless(probe) }],
  );
  const matrix = "The signature rejection matrix sent to receivers";
  const durations = { wallMs: elapsed(), steps: steps.map(({ order, name, wallMs }) => ({ order, name, wallMs })) };
  const environment = options.environment ?? {};
  return [
    ...(probes.length === 0 ? [] : [artefact("webhooks/rejections.json", matrix, clean(canonicalJson(probes)))]),
    artefact(
      "tests/junit.xml",
      "Steps of the scenario as test cases",
      clean(junit(options.scenario?.name ?? "run", steps)),
    ),
    artefact("volatile/durations.json", "Real durations", clean(canonicalJson(durations))),
    artefact("volatile/host.json", "The machine it ran on", canonicalJson(hostOf(environment))),
    artefact("volatile/ci.json", "The CI run it was part of", clean(canonicalJson(ciOf(environment)))),
  ];
}

async function pictureArtefacts({ pictures }: RecordOptions): Promise<readonly Artefact[]> {
  const taken = [...((await pictures?.()) ?? [])];
  return [
    artefact(
      "volatile/screenshots.json",
      "Which pictures were taken",
      canonicalJson({ taken: taken.map(([name]) => name) }),
    ),
    ...taken.map(([name, bytes]) => artefact(`volatile/screenshots/${name}`, "A picture of the console", bytes)),
  ];
}

function saltOf({ key }: SigningKey): Buffer {
  return createHmac("sha256", key.export({ format: "der", type: "pkcs8" }))
    .update("backlot.evidence.redaction")
    .digest();
}
