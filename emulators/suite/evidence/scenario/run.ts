/** Plays a scenario on a suite of its own, under a frozen clock. */
import { stopwatch } from "../../../kernel/clock.ts";
import { createSuite, type Suite } from "../../suite.ts";
import { type Answer, perform, type Stage } from "./actions.ts";
import { openReceivers } from "./receivers.ts";
import type { Scenario, Step } from "./schema.ts";
import { createSignIn } from "./sign-in.ts";
import { differences, fill, patternOf, valueAt } from "./variables.ts";

export interface StepResult {
  /** `0003`, or `0003.0002` within independent steps and repetitions. */
  readonly order: string;
  readonly name: string;
  /** Epoch milliseconds of the virtual clock. */
  readonly at: number;
  /** What went wrong; absent when nothing did. */
  readonly failure?: string;
  readonly status?: number;
  /** What the probe reported, when the step put a receiver through it. */
  readonly probe?: unknown;
  readonly wallMs: number;
}

/** A step as it stands in the file; when it repeats, its results have orders below its own. */
export interface PlannedStep {
  readonly order: string;
  readonly name: string;
  readonly repeat: number;
}

export interface Played {
  readonly results: readonly StepResult[];
  readonly passed: boolean;
}

export interface PlayOptions {
  /** How many independent steps run at once. */
  readonly concurrency?: number;
  /** More settings; ports stay free ones unless they are among them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Around the steps: what records begins before the first and ends after the last. */
  readonly around?: (suite: Suite, play: () => Promise<Played>) => Promise<void>;
  readonly onStep?: (result: StepResult) => void;
}

export async function playScenario(scenario: Scenario, options: PlayOptions = {}): Promise<Played> {
  const receivers = await openReceivers(scenario.receivers);
  try {
    const suite = await createSuite({
      seed: scenario.seed,
      clock: `frozen@${scenario.clock}`,
      ...(scenario.only.length === 0 ? {} : { only: scenario.only }),
      environment: {
        BACKLOT_LOG_LEVEL: "silent",
        BACKLOT_PACE: "1",
        BACKLOT_WEBHOOK_ALLOW: receivers.allow,
        ...scenario.settings,
        ...options.environment,
      },
    });
    try {
      let played: Played = { results: [], passed: false };
      const play = async () => {
        played = await playSteps(scenario, { suite, receivers, signIn: createSignIn(new Map()) }, options);
        return played;
      };
      await (options.around ?? ((_, go) => go().then(() => {})))(suite, play);
      return played;
    } finally {
      await suite.close();
    }
  } finally {
    await receivers.close();
  }
}

export function plannedSteps({ steps }: Scenario): readonly PlannedStep[] {
  const planned = ({ name, repeat }: Step, order: string): PlannedStep => ({ order, name, repeat });
  return steps.flatMap((entry, index) => {
    const order = number(index + 1);
    return "independent" in entry
      ? entry.independent.map((step, n) => planned(step, `${order}.${number(n + 1)}`))
      : [planned(entry, order)];
  });
}

interface Run {
  readonly stage: Stage;
  readonly variables: Map<string, string>;
  readonly results: StepResult[];
  readonly onStep: (result: StepResult) => void;
}

async function playSteps(scenario: Scenario, given: Stage, options: PlayOptions): Promise<Played> {
  const { suite, receivers } = given;
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(suite.env)) variables.set(`env.${name}`, value);
  for (const name of Object.keys(scenario.receivers)) variables.set(`receiver.${name}`, receivers.url(name));
  const stage: Stage = { ...given, signIn: createSignIn(variables) };
  const run: Run = { stage, variables, results: [], onStep: options.onStep ?? (() => {}) };
  for (const [index, entry] of scenario.steps.entries()) {
    const order = number(index + 1);
    if ("independent" in entry) {
      const tasks = entry.independent.flatMap((step, n) => times(step, `${order}.${number(n + 1)}`));
      await together(tasks, options.concurrency ?? 8, ({ step, at, n }) => playStep(step, at, n, run));
    } else for (const { step, at, n } of times(entry, order)) await playStep(step, at, n, run);
    // What the step caused - webhooks above all - has happened before the next one looks.
    await suite.clock.advance({ ms: 0 });
    if (run.results.some(({ failure }) => failure !== undefined)) break;
  }
  const results = run.results.sort((left, right) => (left.order < right.order ? -1 : 1));
  return { results, passed: results.every(({ failure }) => failure === undefined) };
}

const number = (n: number) => String(n).padStart(4, "0");

interface Task {
  readonly step: Step;
  readonly at: string;
  readonly n: number;
}

function times(step: Step, order: string): readonly Task[] {
  if (step.repeat === 1) return [{ step, at: order, n: 1 }];
  return Array.from({ length: step.repeat }, (_, index) => ({
    step,
    at: `${order}.${String(index + 1).padStart(5, "0")}`,
    n: index + 1,
  }));
}

async function together(tasks: readonly Task[], most: number, work: (task: Task) => Promise<void>): Promise<void> {
  const queue = tasks.values();
  const worker = async () => {
    for (const task of queue) await work(task);
  };
  await Promise.all(Array.from({ length: Math.min(most, tasks.length) }, worker));
}

async function playStep(given: Step, order: string, n: number, run: Run): Promise<void> {
  const elapsed = stopwatch();
  const at = run.stage.suite.clock.now();
  let failure: string | undefined;
  let answer: Answer | undefined;
  try {
    const step = fill(given, new Map([...run.variables, ["n", String(n)], ["clock", new Date(at).toISOString()]]));
    answer = await perform(step, order, run.stage);
    const wrong = step.expect === undefined ? [] : unexpected(answer, step.expect);
    if (wrong.length > 0) failure = wrong.join("; ");
    else keep(answer, step.save ?? {}, run.variables);
  } catch (cause) {
    failure = cause instanceof Error ? cause.message : String(cause);
  }
  const result: StepResult = {
    order,
    name: given.repeat > 1 ? `${given.name} (${n})` : given.name,
    at,
    ...(failure === undefined ? {} : { failure }),
    ...(answer === undefined ? {} : { status: answer.status }),
    ...(answer !== undefined && given.control?.path.endsWith("/probe") ? { probe: parsed(answer.body) } : {}),
    wallMs: elapsed(),
  };
  run.results.push(result);
  run.onStep(result);
}

function unexpected(answer: Answer | undefined, expected: NonNullable<Step["expect"]>): readonly string[] {
  if (!answer) return ["there is no answer to look at"];
  const { status, headers = {}, json, contains } = expected;
  const found = [
    ...(status === undefined || answer.status === status ? [] : [`status ${answer.status}, not ${status}`]),
    ...Object.entries(headers).flatMap(([name, value]) => differences(answer.headers.get(name), value, name)),
    ...(contains === undefined || answer.body.includes(contains)
      ? []
      : [`${JSON.stringify(contains)} is not in the body`]),
    ...(json === undefined ? [] : differences(parsed(answer.body), json)),
  ];
  return found.length === 0 ? [] : [...found, `the answer was: ${answer.body.slice(0, 400)}`];
}

function keep(
  answer: Answer | undefined,
  wanted: Readonly<Record<string, string>>,
  variables: Map<string, string>,
): void {
  for (const [name, path] of Object.entries(wanted)) {
    const body = answer?.body ?? "";
    const pattern = patternOf(path);
    const value = path.startsWith("header:")
      ? answer?.headers.get(path.slice("header:".length))
      : pattern
        ? pattern.exec(body)?.[1]
        : valueAt(parsed(body), path);
    if (typeof value !== "string" && typeof value !== "number")
      throw new Error(`the answer has no ${path} to keep as ${name}`);
    variables.set(name, String(value));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // an answer that is not JSON is compared as the text it is
  }
}
