/** A server under test as a process of its own: start, resident memory, quiet, stop. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** A signal goes to the whole group: npm and what it started. */
  readonly group?: boolean;
  /** Whether a line of its output says that it is ready. Default: it is JSON. */
  readonly ready?: (line: string) => boolean;
}

export interface ServerProcess {
  readonly pid: number;
  readonly spawnedAt: number;
  readonly readyLine: string;
  /** Milliseconds from SIGTERM to exit. */
  stop(): Promise<number>;
}

/** What is running now, to be ended when a measure fails half-way. */
const running = new Map<ChildProcess, number>();

/** Ends every server that nobody stopped, at once. */
export function killServers(): void {
  for (const target of running.values()) process.kill(target, "SIGKILL");
  running.clear();
}

const startDeadlineMs = 30_000;
const stopDeadlineMs = 20_000;

/** A TypeScript file of this folder, run by Node itself. */
export function script(path: string, ...args: readonly string[]): Command {
  const file = fileURLToPath(new URL(path, import.meta.url));
  return { file: process.execPath, args: [...typescript, file, ...args] };
}

/** Node 22.14 wants to be asked before it reads TypeScript; later versions accept the flag. */
export const typescript = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

export async function startServer(command: Command): Promise<ServerProcess> {
  const spawnedAt = performance.now();
  const child = spawn(command.file, command.args, {
    env: { ...neutral(process.env), ...command.environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: command.group === true,
    ...(command.folder === undefined ? {} : { cwd: command.folder }),
  });
  const { pid = 0 } = child; // without one, the "error" event follows
  const target = command.group ? -pid : pid;
  if (pid > 0) running.set(child, target);
  child.once("exit", () => running.delete(child));
  const readyLine = await firstLine(child, command);
  return { pid, spawnedAt, readyLine, stop: () => stop(child, target) };
}

/** Without the settings of whoever runs the benchmark: what is measured are the defaults. */
function neutral(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const setting = /^(BACKLOT_.*|FEATURE_.*|USE_REAL_DATA|APP_MODE)$/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !setting.test(name)));
}

function firstLine(child: ChildProcess, command: Command): Promise<string> {
  const isReady = command.ready ?? ((line: string) => line.startsWith("{"));
  return new Promise((resolve, reject) => {
    let [output, problems] = ["", ""];
    const fail = (what: string) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`${describe(command)} ${what}\n${problems || output}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${startDeadlineMs} ms`), startDeadlineMs);
    child.once("error", (cause) => fail(`did not start: ${cause.message}`));
    const ended = (code: number | null) => fail(`ended with ${code} before it was ready`);
    child.once("exit", ended);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      problems = (problems + text).slice(-4000);
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const line = output.split("\n").slice(0, -1).find(isReady);
      if (line === undefined) return;
      clearTimeout(timer);
      child.off("exit", ended);
      child.stdout?.removeAllListeners("data").resume();
      resolve(line);
    });
  });
}

async function stop(child: ChildProcess, target: number): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`process ${target} ended before it was stopped`);
  const startedAt = performance.now();
  const timer = setTimeout(() => process.kill(target, "SIGKILL"), stopDeadlineMs);
  const ended = once(child, "exit");
  process.kill(target, "SIGTERM");
  await ended;
  clearTimeout(timer);
  return performance.now() - startedAt;
}

function describe(command: Command): string {
  return [command.file, ...command.args].join(" ");
}

/** Resident megabytes; undefined where there is no /proc. */
export function residentMegabytes(pid: number): number | undefined {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return undefined;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(path, "utf8")) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

/** Waits until the process has nothing left to do from an earlier load: its timers would be counted against the next. */
export async function quiet(pid: number): Promise<void> {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return sleep(1_000);
  const ticks = () => {
    const fields = readFileSync(path, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  for (let waited = 0; waited < 50; waited += 1) {
    const before = ticks();
    await sleep(200);
    if (ticks() - before <= 1) return; // a tick is 10 ms: less than a twentieth of the core
  }
}
