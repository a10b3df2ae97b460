/** Fault Injection Service: templates of experiments that interrupt spot instances, and experiments. */
import type { Resource } from "./resources.ts";

export interface TargetSpec {
  readonly resourceType: string;
  readonly resourceArns?: readonly string[] | undefined;
  readonly resourceTags?: Readonly<Record<string, string>> | undefined;
  readonly filters?: readonly { readonly path: string; readonly values: readonly string[] }[] | undefined;
  readonly selectionMode: string;
}

export interface ActionSpec {
  readonly actionId: string;
  readonly description?: string | undefined;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly targets?: Readonly<Record<string, string>> | undefined;
  readonly startAfter?: readonly string[] | undefined;
}

export interface ExperimentPlan {
  readonly description: string;
  readonly roleArn: string;
  readonly targets: Readonly<Record<string, TargetSpec>>;
  readonly actions: Readonly<Record<string, ActionSpec>>;
  readonly stopConditions: readonly { readonly source: string; readonly value?: string | undefined }[];
}

export interface ExperimentTemplate extends Resource {
  readonly plan: ExperimentPlan;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Experiment extends Resource {
  readonly template: string;
  readonly plan: ExperimentPlan;
  readonly status: string;
  readonly reason: string;
  readonly createdAt: number;
  readonly startedAt: number;
  readonly endedAt?: number | undefined;
  /** Instances by action name, once chosen. */
  readonly chosen: Readonly<Record<string, readonly string[]>>;
}
