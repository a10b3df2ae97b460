/**
 * `backlot exec -- COMMAND`: a private suite, the command in an environment that leads every client to it, and the
 * command's exit code - or 70 with a list when something tried to leave the machine.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { stopwatch } from "../../kernel/clock.ts";
import { refusal } from "../../kernel/mode.ts";
import type { Settings } from "../../kernel/settings.ts";
import { clientVariables } from "../client-variables.ts";
import type { EgressTarget } from "../gateway/ledger.ts";
import { registry } from "../registry.ts";
import { runEnvironment } from "../run-environment.ts";
import { prepareRunFolder } from "../run-folder.ts";
import { privatePorts, type Suite, startSuite } from "../suite.ts";
import { boundYoungGeneration } from "./young-generation.ts";

export interface ExecOptions {
  readonly command: readonly string[];
  /** More entries for BACKLOT_EGRESS_ALLOW. */
  readonly allow: readonly string[];
  readonly checkEgress: boolean;
  /** Folder, not there yet, in which a pack of evidence of the run is left. */
  readonly evidence?: string | undefined;
  /** Read again with other ports and folders than the user's. */
  readonly settings: (given: Readonly<Record<string, string>>) => Settings;
}

/** As in sysexits.h: EX_SOFTWARE is the nearest to "it did what it must not"; EX_CANTCREAT and EX_CONFIG say what they say. */
const exitCodes = { leftMachine: 70, noEvidence: 73, misconfigured: 78, notExecutable: 126, notFound: 127 } as const;

export const privateFolderPrefix = "backlot-exec-";

/** Resolves with the exit code: the command's, 128 + signal, 70, 73, 78, 126 or 127. */
export async function exec(options: ExecOptions): Promise<number> {
  const { realAskedBy, only, egressAllow } = options.settings({});
  if (realAskedBy !== undefined) {
    if (options.evidence !== undefined) say("Evidence is of what is emulated: in real mode no pack is left.");
    return execReal(options.command, realAskedBy, only);
  }

  const early = holdSignals();
  // The process id in its name tells a run under way from one that was killed.
  const folder = mkdtempSync(join(tmpdir(), `${privateFolderPrefix}${process.pid}-`));
  try {
    return await execPrivately(options, [...egressAllow, ...options.allow], folder, early);
  } finally {
    early.release();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function execPrivately(
  { command, settings: read, checkEgress, evidence }: ExecOptions,
  allow: readonly string[],
  folder: string,
  early: HeldSignals,
): Promise<number> {
  const data = join(folder, "data");
  mkdirSync(data);
  const settings = read({
    ...privatePorts(),
    BACKLOT_DATA_DIR: data,
    BACKLOT_ATTACH: "",
    BACKLOT_EGRESS_ALLOW: allow.join(","),
  });
  const suite = await startSuite({ ...settings, caDir: settings.caDir ?? join(folder, "ca") });
  boundYoungGeneration();
  try {
    const trusting = clientVariables(suite.certificates(), suite.gateway?.proxyUrl, { folder });
    const told = prepareRunFolder(folder, trusting.SSL_CERT_FILE ?? suite.caPath, process.env);
    const seeded = { ...suite.env, ...trusting, ...told };
    const { variables, replaced, removed } = runEnvironment(process.env, seeded, folder);
    if (replaced.length > 0) say(`Seeded values that mean nothing elsewhere stand in for ${replaced.join(", ")}.`);
    if (removed.length > 0) say(`Taken out of the command's environment: ${removed.join(", ")}.`);
    const stopped = early.release();
    if (stopped !== undefined) return 128 + constants.signals[stopped];
    const work = () => run(command, variables);
    const { code, kept } =
      evidence === undefined ? { code: await work(), kept: true } : await recorded(suite, command, evidence, work);
    const left = suite.gateway?.ledger.targets().filter(({ verdict }) => verdict === "refused") ?? [];
    if (left.length > 0) say(egressTable(left, code));
    if (left.length > 0 && checkEgress) return exitCodes.leftMachine;
    return code === 0 && !kept ? exitCodes.noEvidence : code;
  } finally {
    await suite.close();
  }
}

/** Runs `work` under the recorder. What becomes of the pack is said; it never changes what the command's code was. */
async function recorded(
  suite: Suite,
  [program = ""]: readonly string[],
  folder: string,
  work: () => Promise<number>,
): Promise<{ readonly code: number; readonly kept: boolean }> {
  // Arguments may hold what nobody should read; the program's name does not.
  const name = basename(program);
  await suite.evidence.start({ title: `A run of ${name}`, folder: resolve(folder), environment: process.env });
  const elapsed = stopwatch();
  const code = await work();
  const failure = code === 0 ? {} : { failure: `ended with ${code}` };
  const step = { order: "0001", name, at: suite.clock.now(), wallMs: elapsed(), ...failure };
  try {
    const { fingerprint } = await suite.evidence.stop([step]);
    say(`Evidence of this run: ${folder} (fingerprint ${fingerprint}).`);
    return { code, kept: true };
  } catch (cause) {
    say(`No evidence was left in ${folder}: ${cause instanceof Error ? cause.message : String(cause)}`);
    return { code, kept: false };
  }
}

/** Real mode starts nothing and changes nothing: the same command, the real services. */
async function execReal(command: readonly string[], askedBy: string, only: readonly string[]): Promise<number> {
  const chosen = registry.filter(({ name }) => only.length === 0 || only.includes(name));
  const refusals = await Promise.all(
    chosen.map(async (entry) => refusal((await entry.describe()).real, askedBy, process.env)),
  );
  const incomplete = refusals.filter(({ missing }) => missing.length > 0);
  if (incomplete.length === 0) return run(command, process.env);
  say(`Real mode is asked for by ${askedBy}: nothing is emulated, and the real services need what is not set.`);
  for (const { service, missing, example, docs } of incomplete)
    say(`\n${service}: ${missing.join(", ")} not set (${docs})\n${example.replace(/^/gm, "  ")}`);
  say("\nSet them, name fewer services in BACKLOT_ONLY, or unset what asks for real mode.");
  return exitCodes.misconfigured;
}

interface HeldSignals {
  /** Lets signals through again; what was caught, if any. */
  release(): NodeJS.Signals | undefined;
}

/** Until the command runs a signal must not leave the private folder behind. */
function holdSignals(): HeldSignals {
  let caught: NodeJS.Signals | undefined;
  const hold = (signal: NodeJS.Signals) => {
    caught ??= signal;
  };
  const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, hold);
  return {
    release() {
      for (const signal of signals) process.off(signal, hold);
      return caught;
    },
  };
}

/** SIGINT and SIGQUIT of a terminal reach the whole group by themselves; passing them on would send them twice. */
const passedOn: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"];
const fromTerminal: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

function run([file = "", ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, stdio: "inherit" });
    const handlers = [...passedOn, ...fromTerminal].map((signal) => {
      const handle = () => {
        if (!(fromTerminal.includes(signal) && process.stdin.isTTY)) child.kill(signal);
      };
      process.on(signal, handle);
      return [signal, handle] as const;
    });
    const done = (code: number) => {
      for (const [signal, handle] of handlers) process.off(signal, handle);
      resolve(code);
    };
    child.once("error", (cause: NodeJS.ErrnoException) => {
      say(`${file} cannot be run: ${cause.code === "ENOENT" ? "there is no such command" : cause.message}.`);
      done(cause.code === "ENOENT" ? exitCodes.notFound : exitCodes.notExecutable);
    });
    child.once("exit", (code, signal) => done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function egressTable(targets: readonly EgressTarget[], code: number): string {
  const rows = targets.map(({ target, count, methods, reason }) => [target, `${count} x`, methods.join(", "), reason]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => (column < 3 ? cell.padEnd(width(column)) : cell)).join("  ")}`;
  const hosts = [...new Set(targets.map(({ target }) => target.replace(/^\w+:\/\//, "").replace(/:\d+$/, "")))];
  return [
    `\nThis run tried to leave the machine (the command itself ended with ${code}):`,
    ...rows.map(line),
    `Nothing was sent. To let a host through: backlot exec --allow ${hosts[0]} -- ...; to only be told: --no-egress-check.`,
  ].join("\n");
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
