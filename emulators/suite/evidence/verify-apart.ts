/** Verifies on a thread of its own: a suite goes on answering meanwhile, however large the pack is. */
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { Verdict } from "./answers.ts";
import { verifyPack } from "./verify.ts";

interface Task {
  readonly verify: string;
}

export function verifyApart(path: string): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { verify: path } satisfies Task });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`verifying ${path} ended with ${code} and no verdict`)));
  });
}

/** This file is the thread's program too. */
const task: Partial<Task> | null = workerData;
if (task?.verify !== undefined) parentPort?.postMessage(verifyPack(task.verify));
