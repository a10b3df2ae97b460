/** Runs of the shipped scenarios that the control API started: one at a time, each on a suite of its own. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, isoMilliseconds } from "../../../kernel/clock.ts";
import { packageRoot } from "../../../kernel/package-root.ts";
import { ControlError } from "../../../kernel/plain-errors.ts";
import type { PackShelf } from "../shelf.ts";
import type { PlannedStep, StepResult } from "./run.ts";
import type { Scenario } from "./schema.ts";

export interface ScenarioSummary {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** Empty: all. */
  readonly services: readonly string[];
  readonly steps: number;
}

export interface RunStep extends PlannedStep {
  readonly done: number;
  readonly failure: string | null;
  /** HTTP status or reply code of the last answer. */
  readonly status: number | null;
  readonly wallMs: number;
}

export interface ScenarioRun {
  /** `spot-switch-1` */
  readonly id: string;
  readonly scenario: string;
  readonly title: string;
  readonly state: "running" | "passed" | "failed" | "stopped";
  /** The suite's virtual time; the scenario has a clock of its own. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** What kept it from its end, where it was no step's failure. */
  readonly problem: string | null;
  /** The pack that was made of it. */
  readonly pack: string | null;
  readonly steps: readonly RunStep[];
}

export interface ScenarioRuns {
  list(): Promise<readonly ScenarioSummary[]>;
  /** Newest first. */
  readonly runs: readonly ScenarioRun[];
  /** @throws when there is no such scenario, or another run is under way */
  start(name: string, options: { readonly evidence: boolean }): Promise<ScenarioRun>;
  /** After the step under way; false when the run is over. */
  stop(id: string): boolean;
  /** Ends the run under way, and waits for its suite. */
  close(): Promise<void>;
}

const mostRuns = 20;

export function createScenarioRuns({ clock, packs }: { clock: Clock; packs: PackShelf }): ScenarioRuns {
  const folder = join(packageRoot(), "fixtures", "scenarios");
  let runs: readonly ScenarioRun[] = [];
  let started = 0;
  let stopping = false;
  let playing: Promise<void> | undefined;
  const change = (id: string, changed: (run: ScenarioRun) => Partial<ScenarioRun>) => {
    runs = runs.map((run) => (run.id === id ? { ...run, ...changed(run) } : run));
  };
  const names = () =>
    existsSync(folder)
      ? readdirSync(folder).flatMap((file) => (file.endsWith(".yaml") ? [file.slice(0, -".yaml".length)] : []))
      : [];

  const play = async (id: string, { story, source }: Told, evidence: boolean) => {
    const { playScenario } = await import("./run.ts");
    try {
      const { passed } = await playScenario(story, {
        onStep(result) {
          change(id, ({ steps }) => ({ steps: steps.map((step) => after(step, result)) }));
          if (stopping) throw new Stopped();
        },
        async around(suite, go) {
          if (!evidence) return void (await go());
          const { title, about, name } = story;
          // As the command does, so that the two make the same pack.
          const made = { title, about, scenario: { name, source }, failFast: true, environment: process.env };
          await suite.evidence.start({ ...made, folder: packs.place() });
          const recorded = await suite.evidence.stop((await go()).results);
          const { id: pack } = packs.add(recorded, title, clock.now());
          change(id, () => ({ pack }));
        },
      });
      change(id, () => ({ state: passed ? "passed" : "failed" }));
    } catch (cause) {
      if (cause instanceof Stopped) change(id, () => ({ state: "stopped" }));
      else change(id, () => ({ state: "failed", problem: cause instanceof Error ? cause.message : String(cause) }));
    }
    change(id, () => ({ endedAt: isoMilliseconds(clock.now()) }));
  };

  return {
    get runs() {
      return runs;
    },
    async list() {
      const told = await Promise.all(
        names()
          .sort()
          .map((name) => read(folder, name)),
      );
      return told.map(({ story: { name, title, about, only }, steps }) => ({
        name,
        title,
        about,
        services: only,
        steps: steps.length,
      }));
    },
    async start(name, { evidence }) {
      if (!names().includes(name))
        throw new ControlError(
          404,
          "no_such_scenario",
          `There is no scenario ${name}; there are ${names().join(", ")}.`,
        );
      const told = await read(folder, name);
      const other = runs.find(({ state }) => state === "running");
      if (other)
        throw new ControlError(409, "scenario_running", `${other.id} is under way; wait for its end or stop it.`);
      started += 1;
      stopping = false;
      const run: ScenarioRun = {
        id: `${name}-${started}`,
        scenario: name,
        title: told.story.title,
        state: "running",
        startedAt: isoMilliseconds(clock.now()),
        endedAt: null,
        problem: null,
        pack: null,
        steps: told.steps.map((step) => ({ ...step, done: 0, failure: null, status: null, wallMs: 0 })),
      };
      runs = [run, ...runs].slice(0, mostRuns);
      playing = play(run.id, told, evidence);
      return run;
    },
    stop(id) {
      if (runs.find((run) => run.id === id)?.state !== "running") return false;
      stopping = true;
      return true;
    },
    async close() {
      stopping = true;
      await playing;
    },
  };
}

class Stopped extends Error {}

interface Told {
  readonly story: Scenario;
  readonly source: string;
  readonly steps: readonly PlannedStep[];
}

async function read(folder: string, name: string): Promise<Told> {
  const [{ readScenario }, { plannedSteps }] = await Promise.all([import("./schema.ts"), import("./run.ts")]);
  const path = join(folder, `${name}.yaml`);
  const story = readScenario(path);
  return { story, source: readFileSync(path, "utf8"), steps: plannedSteps(story) };
}

function after(step: RunStep, { order, failure, status, wallMs }: StepResult): RunStep {
  if (order !== step.order && !order.startsWith(`${step.order}.`)) return step;
  return {
    ...step,
    done: step.done + 1,
    failure: step.failure ?? failure ?? null,
    status: status ?? step.status,
    wallMs: step.wallMs + wallMs,
  };
}
