/** A suite as a process of its own, whose journal takes two thousand entries a second while it is told so. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";

export interface WatchedSuite {
  readonly url: string;
  readonly twilio: string;
  readonly env: Readonly<Record<string, string>>;
  start(): Promise<void>;
  /** Entries since the start, in all and a second. */
  stop(): Promise<{ readonly made: number; readonly perSecond: number }>;
}

export async function forkWatchedSuite(): Promise<WatchedSuite> {
  const child = fork(join(packageRoot(), "tests", "console", "watched-suite-process.ts"), [], {
    cwd: packageRoot(),
    execArgv: ["--import", "tsx"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ask = (message: string) => {
    const answer = answerOf(child);
    child.send(message);
    return answer;
  };
  const started = (await answerOf(child)) as Pick<WatchedSuite, "url" | "twilio" | "env">;
  return {
    ...started,
    async start() {
      await ask("start");
    },
    stop: async () => (await ask("stop")) as Awaited<ReturnType<WatchedSuite["stop"]>>,
  };
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the watched suite ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (answer) => {
      child.off("exit", ended);
      resolve(answer);
    });
  });
}
