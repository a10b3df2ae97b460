/** `backlot doctor`: is everything as a client needs it - in the suite that runs, or in a private one when none does. */
import { X509Certificate } from "node:crypto";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificatesLazily } from "../../kernel/authority.ts";
import { createClock } from "../../kernel/clock.ts";
import type { Settings } from "../../kernel/settings.ts";
import { domains } from "../registry.ts";
import { createSuite } from "../suite.ts";
import { takenPorts } from "./check.ts";
import { probes } from "./doctor-probes.ts";
import { privateFolderPrefix } from "./exec.ts";

/** What was looked at. `fix` says what to do about a red line. */
export interface Finding {
  readonly title: string;
  readonly state: "ok" | "note" | "wrong";
  readonly detail: string;
  readonly fix?: string;
}

/** A suite as doctor sees it: its control API and the variables it hands out. */
export interface Patient {
  readonly environment: Readonly<Record<string, string>>;
  ask(path: string): Promise<unknown>;
}

const soon = 30 * 86_400_000;

/** Exit code 0 when no line is red. */
export async function doctor(settings: Settings): Promise<number> {
  const findings: Finding[] = [];
  const running = await runningSuite(settings);
  if (running) findings.push({ title: "suite", state: "ok", detail: `answers at port ${settings.port}` });
  else
    findings.push(
      { title: "suite", state: "note", detail: "does not run; a private one was started for this look" },
      ...(await ports(settings)),
    );
  findings.push(authority(settings));
  if (running) findings.push(...(await examine(running)));
  else {
    const { realAskedBy } = settings;
    const suite = await createSuite({
      environment: { BACKLOT_LOG_LEVEL: "error", ...(realAskedBy === undefined ? {} : { BACKLOT_MODE: "real" }) },
    });
    const ask = async (path: string) => (await suite.control("GET", path)).json() as Promise<unknown>;
    const { environment } = (await ask("/_backlot/env")) as { environment: Record<string, string> };
    findings.push(...(await examine({ environment, ask })));
    await suite.close();
  }
  findings.push(leftovers());
  process.stdout.write(report(findings));
  return findings.some(({ state }) => state === "wrong") ? 1 : 0;
}

async function runningSuite(settings: Settings): Promise<Patient | undefined> {
  if (!settings.port) return undefined;
  const headers: Record<string, string> =
    settings.controlToken === undefined ? {} : { authorization: `Bearer ${settings.controlToken}` };
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${settings.port}${path}`, {
      headers,
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  };
  try {
    const { environment } = (await ask("/_backlot/env")) as { environment: Record<string, string> };
    return { environment, ask };
  } catch {
    return undefined; // nothing of ours listens there; the ports are looked at next
  }
}

async function ports(settings: Settings): Promise<readonly Finding[]> {
  const taken = await takenPorts(settings);
  if (taken.length === 0) return [{ title: "ports", state: "ok", detail: "all are free" }];
  return taken.map(({ env, port, cause }) => ({
    title: "ports",
    state: "wrong",
    detail: `${env}=${port}: ${cause}`,
    fix: `stop that program, or set ${env} to another port (0: a free one; empty: off)`,
  }));
}

function authority(settings: Settings): Finding {
  const { caPath, caPem } = createCertificatesLazily(settings, domains)();
  const until = Date.parse(new X509Certificate(caPem).validTo);
  const left = until - createClock({ mode: "real" }, 1).wall();
  const detail = `${caPath}, valid until ${new Date(until).toISOString().slice(0, 10)}`;
  if (left > soon) return { title: "certificates", state: "ok", detail };
  return {
    title: "certificates",
    state: "wrong",
    detail,
    fix: `delete ${caPath} and start again; clients need the new one`,
  };
}

async function examine(patient: Patient): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { mode } = (await patient.ask("/_backlot/mode")) as { mode: string };
  const clock = (await patient.ask("/_backlot/clock")) as { mode: string; now: string };
  findings.push({
    title: "clock",
    state: clock.mode === "frozen" ? "note" : "ok",
    detail: `${clock.mode}, shows ${clock.now}`,
  });
  if (mode === "real") {
    const fix = "unset BACKLOT_MODE, USE_REAL_DATA and APP_MODE, or use the real services";
    return [...findings, { title: "mode", state: "wrong", detail: "real: every operation answers 503", fix }];
  }
  findings.push({ title: "mode", state: "ok", detail: "mock" });
  for (const { title, needs, probe, fix } of probes) {
    if (needs.some((name) => patient.environment[name] === undefined)) {
      findings.push({ title, state: "note", detail: "is not running" });
      continue;
    }
    findings.push(
      await probe(patient.environment).then(
        (detail): Finding => ({ title, state: "ok", detail }),
        (cause: unknown): Finding => ({
          title,
          state: "wrong",
          detail: cause instanceof Error ? cause.message : String(cause),
          fix,
        }),
      ),
    );
  }
  return findings;
}

/** Folders of runs that were killed: their process is gone. */
function leftovers(): Finding {
  const left = readdirSync(tmpdir()).filter((name) => {
    const pid = name.startsWith(privateFolderPrefix)
      ? Number(/^\d+/.exec(name.slice(privateFolderPrefix.length))?.[0])
      : Number.NaN;
    return Number.isInteger(pid) && !isAlive(pid);
  });
  if (left.length === 0) return { title: "leftovers", state: "ok", detail: "none" };
  const paths = left.map((name) => join(tmpdir(), name)).join(" ");
  return {
    title: "leftovers",
    state: "wrong",
    detail: `${left.length} folders of runs that were killed`,
    fix: `rm -r ${paths}`,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // EPERM: it is there and somebody else's.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}

function report(findings: readonly Finding[]): string {
  const marks = { ok: "ok   ", note: "note ", wrong: "WRONG" } as const;
  const width = Math.max(...findings.map(({ title }) => title.length));
  const lines = findings.flatMap(({ title, state, detail, fix }) => [
    `${marks[state]}  ${title.padEnd(width)}  ${detail}`,
    ...(fix === undefined || state !== "wrong" ? [] : [`       ${"".padEnd(width)}  -> ${fix}`]),
  ]);
  const wrong = findings.filter(({ state }) => state === "wrong").length;
  return `${lines.join("\n")}\n${wrong === 0 ? "Everything is as clients need it." : `${wrong} to see to.`}\n`;
}
