/** `backlot evidence record | drill | acceptance | verify | diff | replay | tar`. */
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { closest } from "../closest.ts";
import { keyFromPem } from "../evidence/attestation.ts";
import { canonicalJson } from "../evidence/canonical.ts";
import { comparePacks } from "../evidence/diff.ts";
import { drillScenario } from "../evidence/drill.ts";
import { writeArchive } from "../evidence/pack.ts";
import { packName } from "../evidence/record.ts";
import { replayPack, replayScenario } from "../evidence/replay.ts";
import { playScenario, type StepResult } from "../evidence/scenario/run.ts";
import { readScenario, type Scenario } from "../evidence/scenario/schema.ts";
import { readTree } from "../evidence/tree.ts";
import { verifyPack } from "../evidence/verify.ts";

export interface EvidenceOptions {
  readonly scenario?: string | undefined;
  readonly out?: string | undefined;
  readonly name?: string | undefined;
  /** Record: PEM of the private key that signs. Verify: PEM of the public key that must have signed. */
  readonly key?: string | undefined;
  readonly sha256?: string | undefined;
  readonly json?: boolean | undefined;
  readonly volatile?: boolean | undefined;
  /** Drill: how many webhooks are to die and come back. */
  readonly events?: string | undefined;
  readonly concurrency?: number;
}

/** 0 done, 1 content, 2 signature or key, 3 the command line or a file cannot be used. */
const unusable = 3;

export async function evidence(args: readonly string[], options: EvidenceOptions): Promise<number> {
  const [verb = "", ...paths] = args;
  const wanted: Readonly<Record<string, number>> = {
    record: 0,
    drill: 0,
    acceptance: 0,
    verify: 1,
    diff: 2,
    replay: 1,
    tar: 1,
  };
  if (verb !== "" && !(verb in wanted)) {
    const meant = closest(verb, Object.keys(wanted));
    return told(`backlot evidence has no ${verb}${meant === undefined ? "." : `; did you mean ${meant}?`}\n\n${usage}`);
  }
  if (wanted[verb] !== paths.length) return told(usage);
  try {
    if (verb === "record") return await record(options);
    if (verb === "drill") return await drill(options);
    if (verb === "acceptance") return await (await import("./acceptance.ts")).acceptance(options);
    const [first = "", second = ""] = paths;
    if (verb === "verify") return verify(first, options);
    if (verb === "diff") return diff(first, second, options);
    if (verb === "replay") return await replay(first, options);
    return tar(first, options);
  } catch (cause) {
    return told(cause instanceof Error ? cause.message : String(cause));
  }
}

const usage = `backlot evidence record --scenario FILE [--out DIR] [--name NAME] [--key PRIVATE.pem]
backlot evidence drill [--events N] [--out DIR] [--name NAME] [--key PRIVATE.pem]
backlot evidence acceptance [--out DIR] [--key PRIVATE.pem]
backlot evidence verify DIR|TAR [--key PUBLIC.pem] [--sha256 FINGERPRINT] [--json]
backlot evidence diff A B [--volatile]
backlot evidence replay DIR|TAR [--scenario FILE] [--json]
backlot evidence tar DIR [--out FILE]`;

async function record(options: EvidenceOptions): Promise<number> {
  if (options.scenario === undefined) return told(usage);
  const source = readFileSync(options.scenario, "utf8");
  return tell(await recordStory(readScenario(options.scenario), source, options), options);
}

const mostEvents = 10_000;

/** The operator drill with its log, deadletter/drill.md of the pack. */
async function drill(options: EvidenceOptions): Promise<number> {
  const events = Number(options.events ?? 5);
  if (!Number.isInteger(events) || events < 1 || events > mostEvents)
    return told(`--events ${options.events} is no number from 1 to ${mostEvents}.`);
  const story = drillScenario(events);
  const recorded = await recordStory(story, canonicalJson(story), { name: "operator-drill", ...options });
  const code = tell(recorded, options);
  process.stdout.write(`\n${readFileSync(join(recorded.folder, "deadletter", "drill.md"), "utf8")}`);
  return code;
}

interface RecordedStory {
  readonly folder: string;
  readonly results: readonly StepResult[];
}

async function recordStory(
  story: Scenario,
  source: string,
  { out = "audit_artifacts", name, key, concurrency }: EvidenceOptions,
): Promise<RecordedStory> {
  const signing = key === undefined ? undefined : readKey(key, keyFromPem);
  let folder = "";
  const { results } = await playScenario(story, {
    ...(concurrency === undefined ? {} : { concurrency }),
    async around(suite, play) {
      folder = join(resolve(out), name ?? packName(suite));
      await suite.evidence.start({
        folder,
        title: story.title,
        about: story.about,
        scenario: { name: story.name, source },
        failFast: true,
        environment: process.env,
        ...(signing === undefined ? {} : { key: signing }),
      });
      await suite.evidence.stop((await play()).results);
    },
  });
  return { folder, results };
}

function tell({ folder, results }: RecordedStory, { key }: EvidenceOptions): number {
  const { fingerprint, signature } = verifyPack(folder, key === undefined ? {} : { key: publicOf(key) });
  process.stdout.write(`${folder}\nfingerprint ${fingerprint}\nsignature   ${signature}\n`);
  const failed = results.find(({ failure }) => failure !== undefined);
  if (failed) process.stderr.write(`Step ${failed.order} ${failed.name} failed: ${failed.failure}\n`);
  return failed ? 1 : 0;
}

/** A private key's PEM stands for its public half too. */
const publicOf = (file: string) =>
  readKey(file, (pem) => {
    createPublicKey(pem);
    return pem;
  });

function readKey<T>(file: string, read: (pem: string) => T): T {
  const pem = readFileSync(file, "utf8");
  try {
    return read(pem);
  } catch (cause) {
    // OpenSSL's own words for what is no PEM at all: "DECODER routines::unsupported".
    const why = cause instanceof Error && cause.message.startsWith("an ed25519") ? `: ${cause.message}` : "";
    throw new Error(`--key ${file} holds no usable key${why}. One is made by: openssl genpkey -algorithm ed25519`);
  }
}

function verify(path: string, { key, sha256, json }: EvidenceOptions): number {
  const verdict = verifyPack(path, { sha256, key: key === undefined ? undefined : publicOf(key) });
  if (json) process.stdout.write(`${JSON.stringify(verdict)}\n`);
  else {
    for (const { check, path: at, detail } of verdict.findings)
      process.stdout.write(`${check.padEnd(11)} ${at === "" || detail.startsWith(at) ? detail : `${at}: ${detail}`}\n`);
    process.stdout.write(
      verdict.code === 0
        ? `whole: ${verdict.files} files, signature ${verdict.signature}\nfingerprint ${verdict.fingerprint}\n`
        : `NOT whole: ${verdict.findings.length} ${verdict.findings.length === 1 ? "finding" : "findings"}\n`,
    );
  }
  return verdict.code;
}

function diff(left: string, right: string, { volatile = false }: EvidenceOptions): number {
  const { identical, differences } = comparePacks(left, right, { volatile });
  if (identical) process.stdout.write("identical\n");
  for (const { path, kind, fields } of differences)
    process.stdout.write(`${kind.padEnd(8)} ${path}\n${fields.map((field) => `           ${field}\n`).join("")}`);
  return identical ? 0 : 1;
}

/** A pack that is not whole shows nothing by being replayed. */
async function replay(path: string, { scenario, json }: EvidenceOptions): Promise<number> {
  const changed = verifyPack(path).findings.filter(({ check }) => check !== "signature");
  if (changed.length > 0) return told(`${path} is not whole; backlot evidence verify names what is wrong.`);
  const results = await (scenario === undefined ? replayPack(path) : replayScenario(path, readScenario(scenario)));
  if (json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else
    for (const { service, requests, same, skipped, firstDifference } of results) {
      process.stdout.write(`${service.padEnd(22)} ${same} of ${requests} answered alike, ${skipped} not sent\n`);
      if (firstDifference)
        process.stdout.write(
          `  first difference: ${firstDifference.request}\n${firstDifference.fields.map((field) => `    ${field}\n`).join("")}`,
        );
    }
  const differs = results.some(({ firstDifference }) => firstDifference !== undefined);
  if (differs && scenario === undefined)
    process.stderr.write(
      "Only the requests were sent again. What else a scenario does - moving the clock, interrupting instances - is repeated with --scenario FILE.\n",
    );
  return differs ? 1 : 0;
}

function tar(folder: string, { out }: EvidenceOptions): number {
  const verdict = verifyPack(folder);
  const tampered = verdict.findings.filter(({ check }) => check !== "signature");
  if (tampered.length > 0) return told(`${folder} is not whole; backlot evidence verify names what is wrong.`);
  const { files } = readTree(folder);
  const mode = JSON.parse(files.get("mode.json")?.toString("utf8") ?? "{}") as { clock: { start: string } };
  const file = out ?? `${folder.replace(/\/+$/, "")}.tar`;
  writeArchive(file, files, Date.parse(mode.clock.start));
  process.stdout.write(`${file}\nfingerprint ${verdict.fingerprint}\n`);
  return 0;
}

function told(problem: string): number {
  process.stderr.write(`${problem}\n`);
  return unusable;
}
