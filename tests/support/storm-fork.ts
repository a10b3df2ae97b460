/** A part of a storm in a process of its own: it takes no time from what is measured, and it can be killed. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";

/** `memory`: resident bytes after a collection; `calls`: what the receivers saw; `heal`: they answer 200 from now on. */
export type Question = "memory" | "calls" | "heal" | "stop";

export interface StormProcess {
  readonly url: string;
  ask<T>(question: Question): Promise<T>;
  kill(): Promise<void>;
}

export async function forkStorm(
  role: "receivers" | "emulator",
  env: Record<string, string> = {},
): Promise<StormProcess> {
  const child = fork(join(packageRoot(), "tests", "support", "storm-process.ts"), [role], {
    cwd: packageRoot(),
    execArgv: ["--import", "tsx", "--expose-gc"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const kill = () => {
    child.kill("SIGKILL");
    return exited;
  };
  onTestFinished(kill);
  return {
    url: String(await answerOf(child)),
    async ask<T>(question: Question) {
      const answer = answerOf(child);
      child.send(question);
      return (await answer) as T;
    },
    kill,
  };
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`a process of the storm ended with ${code}`)));
  });
}
