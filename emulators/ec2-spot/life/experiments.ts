/** Experiments that interrupt spot instances: a recommendation at once, the notice two minutes before the end. */
import type { Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import type { ActionSpec, Experiment, ExperimentPlan, TargetSpec } from "../domain/experiments.ts";
import type { Instance } from "../domain/resources.ts";
import type { SpotStore } from "../store.ts";
import { noticeMs } from "./delays.ts";
import { noticeTimer, orderLater, recommend } from "./interruption.ts";

export const experimentTimer = "ec2.experiment";
export const interruptAction = "aws:ec2:send-spot-instance-interruptions";

/** `PT2M` and `PT1H30M` in milliseconds. */
export function durationMs(text: string | undefined): number | undefined {
  const match = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(text ?? "");
  if (!match || text === "PT") return undefined;
  return (Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)) * 1000;
}

export type Choice = { readonly instances: readonly Instance[] } | { readonly failure: string };

/** What a target means at this instant. */
export function choose(
  runtime: Runtime<SpotStore>,
  owner: Pick<Experiment, "account" | "region" | "id">,
  target: TargetSpec,
): Choice {
  const { resources } = runtime.state;
  const named = target.resourceArns?.map((arn) => arn.split("/").at(-1) ?? "");
  const candidates = named
    ? named.flatMap((id) => resources.instance.of(owner, id) ?? [])
    : resources.instance
        .list(owner)
        .filter(
          ({ tags, state, spotRequest }) =>
            Object.entries(target.resourceTags ?? {}).every(([key, value]) =>
              tags.some((tag) => tag.key === key && tag.value === value),
            ) &&
            state === "running" &&
            spotRequest !== undefined,
        );
  if (named && candidates.length < named.length) return { failure: "Target resolution returned empty set" };
  const wrong = candidates.find(({ spotRequest, state }) => spotRequest === undefined || state !== "running");
  if (wrong)
    return {
      failure:
        wrong.spotRequest === undefined
          ? `${wrong.id} is not a Spot Instance`
          : `${wrong.id} is ${wrong.state}, not running`,
    };
  const count = countOf(target.selectionMode, candidates.length);
  if (count === 0) return { failure: "Target resolution returned empty set" };
  const drawn = [...candidates].sort((left, right) => rank(runtime, owner.id, left) - rank(runtime, owner.id, right));
  return { instances: drawn.slice(0, count) };
}

function countOf(mode: string, all: number): number {
  const [, kind, number] = /^(COUNT|PERCENT)\((\d+)\)$/.exec(mode) ?? [];
  if (kind === "COUNT") return Math.min(all, Number(number));
  return kind === "PERCENT" ? Math.floor((all * Number(number)) / 100) : all;
}

function rank(runtime: Runtime<SpotStore>, experiment: string, instance: Instance): number {
  return runtime.ids.fixed("ec2.experiment-draw", [experiment, instance.id]).unit();
}

export function interruptions(plan: ExperimentPlan): readonly (readonly [name: string, action: ActionSpec])[] {
  return Object.entries(plan.actions).filter(([, { actionId }]) => actionId === interruptAction);
}

/** Inside a write: the experiment begins, and tells its instances. */
export function begin(runtime: Runtime<SpotStore>, experiment: Experiment): Experiment {
  const { resources } = runtime.state;
  const at = experiment.startedAt;
  const chosen: Record<string, readonly string[]> = {};
  let longest = 0;
  for (const [name, action] of interruptions(experiment.plan)) {
    const target = experiment.plan.targets[action.targets?.SpotInstances ?? ""];
    const choice: Choice = target ? choose(runtime, experiment, target) : { failure: "The action has no target" };
    if ("failure" in choice) return end(runtime, { ...experiment, chosen }, "failed", choice.failure, at);
    const before = durationMs(action.parameters?.durationBeforeInterruption) ?? noticeMs;
    for (const instance of choice.instances) {
      recommend(runtime, instance, at);
      orderLater(
        runtime,
        instance.id,
        { cause: "capacity", deadline: at + before, by: experiment.id },
        at + before - noticeMs,
      );
    }
    chosen[name] = choice.instances.map(({ id }) => id);
    longest = Math.max(longest, before - noticeMs);
  }
  const running: Experiment = { ...experiment, chosen, status: "running", reason: "Experiment is running." };
  resources.experiment.put(running);
  runtime.timers.schedule({ kind: experimentTimer, subject: experiment.id, due: at + longest });
  return running;
}

export function end(
  runtime: Runtime<SpotStore>,
  experiment: Experiment,
  status: string,
  reason: string,
  at: number,
): Experiment {
  const ended: Experiment = { ...experiment, status, reason, endedAt: at };
  runtime.state.resources.experiment.put(ended);
  runtime.journal.append("change", experiment.id, { experiment: status, reason });
  return ended;
}

export function experimentDue(runtime: Runtime<SpotStore>, timer: Timer): void {
  const experiment = runtime.state.resources.experiment.get(timer.subject);
  if (experiment?.status === "running") end(runtime, experiment, "completed", "Experiment completed.", timer.due);
}

/** Inside a write: what has no notice yet is spared. */
export function halt(runtime: Runtime<SpotStore>, experiment: Experiment, at: number): Experiment {
  runtime.timers.cancel(experimentTimer, experiment.id);
  for (const id of Object.values(experiment.chosen).flat()) runtime.timers.cancel(noticeTimer, id);
  return end(runtime, experiment, "stopped", "Experiment stopped.", at);
}
