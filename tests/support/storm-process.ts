/** Receivers or the emulator of a storm as a process of its own; `tests/support/storm-fork.ts` starts it and asks. */
import { startEmulator } from "../../emulators/kernel/start.ts";
import { startStormReceivers } from "./storm.ts";
import { storming } from "./storm-emulator.ts";
import type { Question } from "./storm-fork.ts";

const say = (answer: unknown) => void process.send?.(answer);

async function emulator(): Promise<(question: Question) => unknown> {
  const started = await startEmulator(storming, { environment: process.env });
  say(`http://127.0.0.1:${started.addresses[0]?.port}`);
  return (question) => {
    if (question === "stop") return started.close();
    globalThis.gc?.();
    return process.memoryUsage.rss();
  };
}

async function receivers(): Promise<(question: Question) => unknown> {
  const started = await startStormReceivers();
  say(started.origin);
  return (question) => {
    if (question === "stop") return started.close();
    if (question === "heal") started.heal();
    return question === "calls" ? started.calls : true;
  };
}

const answer = await (process.argv[2] === "receivers" ? receivers() : emulator());
process.on("message", async (question: Question) => {
  say((await answer(question)) ?? true);
  if (question === "stop") process.exit(0);
});
