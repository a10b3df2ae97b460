/** What became of dead letters, step by step: deadletter/drill.json, and drill.md for people. */
import { isoMilliseconds } from "../../kernel/clock.ts";
import { canonicalJson } from "./canonical.ts";
import type { StepResult } from "./scenario/run.ts";

/** A webhook that died, and what came after. */
export interface Letter {
  readonly service: string;
  readonly id: string;
  readonly webhookId: string;
  readonly type: string;
  readonly state: string;
  readonly triesBeforeReplay: number;
  readonly triesAfterReplay: number;
  /** Names the file in webhooks/bodies/. */
  readonly bodySha256: string;
  readonly attempts: readonly {
    readonly n: number;
    readonly at: string;
    readonly outcome: string;
    readonly status: number | null;
  }[];
}

export interface Drill {
  readonly deadLettered: number;
  readonly replayed: number;
  readonly deliveredAfterReplay: number;
  readonly leftInDeadLetters: number;
  readonly verdict: "passed" | "failed" | "not run";
}

export function drillLog(letters: readonly Letter[], played: readonly StepResult[]) {
  const drill = drillOf(letters);
  const steps = played.map(({ order, name, at, failure }) => ({
    order,
    name,
    at: isoMilliseconds(at),
    result: failure ?? "passed",
  }));
  return { drill, json: canonicalJson({ ...drill, steps, letters }), text: drillText(drill, steps, letters) };
}

function drillOf(letters: readonly Letter[]): Drill {
  const replayed = letters.filter(({ triesAfterReplay }) => triesAfterReplay > 0);
  const delivered = replayed.filter(({ state }) => state === "delivered").length;
  const left = letters.filter(({ state }) => state === "dead").length;
  return {
    deadLettered: letters.length,
    replayed: replayed.length,
    deliveredAfterReplay: delivered,
    leftInDeadLetters: left,
    verdict: letters.length === 0 ? "not run" : left === 0 && delivered === letters.length ? "passed" : "failed",
  };
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function drillText(
  drill: Drill,
  steps: readonly { readonly order: string; readonly name: string; readonly at: string; readonly result: string }[],
  letters: readonly Letter[],
): string {
  const stepRows = steps.map(
    ({ order, at, name, result }) => `| ${order} | ${at} | ${cell(name)} | ${cell(result)} |\n`,
  );
  const letterRows = letters.map((letter) => {
    const { webhookId, triesBeforeReplay, triesAfterReplay, state, bodySha256, attempts } = letter;
    const outcomes = attempts.map(({ outcome, status }) => status ?? outcome).join(", ");
    return `| ${webhookId} | ${triesBeforeReplay} + ${triesAfterReplay} | ${cell(outcomes)} | ${state} | ${bodySha256} |\n`;
  });
  return `# Dead-letter drill: ${drill.verdict}

| what | count |
|---|---|
| webhooks that became dead letters | ${drill.deadLettered} |
| replayed by the operator | ${drill.replayed} |
| delivered after the replay | ${drill.deliveredAfterReplay} |
| left in dead letters | ${drill.leftInDeadLetters} |
${stepRows.length === 0 ? "" : `\n## Steps\n\n| step | virtual time | what | result |\n|---|---|---|---|\n${stepRows.join("")}`}${
  letterRows.length === 0
    ? ""
    : `\n## Dead letters\n\nTries before and after the replay; the SHA-256 of the body names its file in webhooks/bodies/.\n\n| webhook | tries | answers | now | SHA-256 of its body |\n|---|---|---|---|---|\n${letterRows.join("")}`
}
Every attempt is a line of webhooks/deliveries.jsonl, with its signature.
`;
}
