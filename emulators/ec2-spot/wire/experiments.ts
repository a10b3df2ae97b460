/** Experiments and their templates as the Fault Injection Service's JSON. Times are epoch seconds. */
import type { Experiment, ExperimentPlan, ExperimentTemplate } from "../domain/experiments.ts";
import type { Tag } from "../domain/resources.ts";

type Json = Readonly<Record<string, unknown>>;

function tagsOf(tags: readonly Tag[]): Json {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

function planOf(plan: ExperimentPlan): Json {
  return {
    description: plan.description,
    roleArn: plan.roleArn,
    targets: Object.fromEntries(
      Object.entries(plan.targets).map(([name, target]) => [
        name,
        {
          resourceType: target.resourceType,
          resourceArns: target.resourceArns,
          resourceTags: target.resourceTags,
          filters: target.filters,
          selectionMode: target.selectionMode,
        },
      ]),
    ),
    stopConditions: plan.stopConditions.map(({ source, value }) => ({ source, value })),
  };
}

function arn(kind: string, { region, account, id }: { region: string; account: string; id: string }): string {
  return `arn:aws:fis:${region}:${account}:${kind}/${id}`;
}

export function templateJson(template: ExperimentTemplate): Json {
  return {
    id: template.id,
    arn: arn("experiment-template", template),
    ...planOf(template.plan),
    actions: Object.fromEntries(
      Object.entries(template.plan.actions).map(([name, action]) => [
        name,
        {
          actionId: action.actionId,
          description: action.description,
          parameters: action.parameters ?? {},
          targets: action.targets ?? {},
          startAfter: action.startAfter,
        },
      ]),
    ),
    creationTime: template.createdAt / 1000,
    lastUpdateTime: template.updatedAt / 1000,
    tags: tagsOf(template.tags),
    experimentOptions: { accountTargeting: "single-account", emptyTargetResolutionMode: "fail" },
    targetAccountConfigurationsCount: 0,
  };
}

export function templateSummaryJson(template: ExperimentTemplate): Json {
  return {
    id: template.id,
    arn: arn("experiment-template", template),
    description: template.plan.description,
    creationTime: template.createdAt / 1000,
    lastUpdateTime: template.updatedAt / 1000,
    tags: tagsOf(template.tags),
  };
}

export function experimentJson(experiment: Experiment): Json {
  const ended = experiment.endedAt === undefined ? {} : { endTime: experiment.endedAt / 1000 };
  return {
    id: experiment.id,
    arn: arn("experiment", experiment),
    experimentTemplateId: experiment.template,
    ...planOf(experiment.plan),
    state: { status: experiment.status, reason: experiment.reason },
    actions: Object.fromEntries(
      Object.entries(experiment.plan.actions).map(([name, action]) => [
        name,
        {
          actionId: action.actionId,
          description: action.description,
          parameters: action.parameters ?? {},
          targets: action.targets ?? {},
          startAfter: action.startAfter,
          state: { status: experiment.status, reason: experiment.reason },
          startTime: experiment.startedAt / 1000,
          ...ended,
        },
      ]),
    ),
    creationTime: experiment.createdAt / 1000,
    startTime: experiment.startedAt / 1000,
    ...ended,
    tags: tagsOf(experiment.tags),
    experimentOptions: {
      accountTargeting: "single-account",
      emptyTargetResolutionMode: "fail",
      actionsMode: "run-all",
    },
    targetAccountConfigurationsCount: 0,
  };
}

export function experimentSummaryJson(experiment: Experiment): Json {
  return {
    id: experiment.id,
    arn: arn("experiment", experiment),
    experimentTemplateId: experiment.template,
    state: { status: experiment.status, reason: experiment.reason },
    creationTime: experiment.createdAt / 1000,
    tags: tagsOf(experiment.tags),
  };
}
