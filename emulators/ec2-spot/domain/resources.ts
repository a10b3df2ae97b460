/** What clients make and change: the shapes of instances, requests, images and what hangs on them. Times are epoch milliseconds. */

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** Whose it is, and where. */
export interface Owner {
  readonly account: string;
  readonly region: string;
}

export interface Resource extends Owner {
  readonly id: string;
  readonly tags: readonly Tag[];
}

export interface GroupName {
  readonly id: string;
  readonly name: string;
}

/** A device as a launch or an image describes it. */
export interface Device {
  readonly name: string;
  readonly gib: number;
  readonly type: string;
  readonly encrypted: boolean;
  readonly deleteOnTermination: boolean;
  readonly snapshot?: string | undefined;
}

/** All that a launch needs, checked and resolved: an image that exists, a type that is offered. */
export interface LaunchPlan {
  readonly image: string;
  readonly type: string;
  readonly product: number;
  readonly architecture: string;
  /** Zone id; absent: wherever it is cheapest. */
  readonly zone?: string | undefined;
  readonly subnet?: string | undefined;
  readonly tenancy: "default" | "dedicated";
  readonly groups: readonly GroupName[];
  readonly keyName?: string | undefined;
  readonly userData?: string | undefined;
  readonly profile?: string | undefined;
  readonly monitoring: boolean;
  readonly ebsOptimized: boolean;
  readonly devices: readonly Device[];
  readonly rootDevice: string;
  readonly privateIp?: string | undefined;
  readonly publicIp: boolean;
  readonly tokensRequired: boolean;
  readonly metadataTags: boolean;
  readonly instanceTags: readonly Tag[];
  readonly volumeTags: readonly Tag[];
}

export type InstanceState = "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";

export const stateCodes: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

/** Where an instance can go from where it is. */
export const nextStates: Readonly<Record<InstanceState, readonly InstanceState[]>> = {
  pending: ["running", "stopping", "shutting-down"],
  running: ["stopping", "shutting-down"],
  stopping: ["stopped", "shutting-down"],
  stopped: ["pending", "shutting-down", "terminated"],
  "shutting-down": ["terminated"],
  terminated: [],
};

export type InterruptionAction = "terminate" | "stop" | "hibernate";
export type InterruptionCause = "capacity" | "price";

export interface Interruption {
  readonly action: InterruptionAction;
  readonly cause: InterruptionCause;
  /** When the instance is taken away. Fixed once told. */
  readonly at: number;
  readonly noticeAt: number;
  /** What asked for it: the market, the control API, an experiment. */
  readonly by: string;
}

/** What a launch sets and ModifyInstanceAttribute changes, besides what the plan says. */
export interface InstanceAttributes {
  readonly disableApiTermination: boolean;
  readonly disableApiStop: boolean;
  readonly shutdownBehavior: "stop" | "terminate";
  readonly sourceDestCheck: boolean;
}

export const usualAttributes: InstanceAttributes = {
  disableApiTermination: false,
  disableApiStop: false,
  shutdownBehavior: "stop",
  sourceDestCheck: true,
};

export interface Instance extends Resource {
  readonly reservation: string;
  readonly place: number;
  readonly plan: LaunchPlan;
  readonly attributes: InstanceAttributes;
  readonly zone: string;
  readonly subnet: string;
  readonly vpc: string;
  readonly privateIp: string;
  readonly publicIp?: string | undefined;
  readonly mac: string;
  readonly interface: string;
  readonly attachment: string;
  readonly volumes: readonly {
    readonly device: string;
    readonly volume: string;
    readonly deleteOnTermination: boolean;
  }[];
  readonly state: InstanceState;
  readonly launchedAt: number;
  /** When both status checks pass; meaningful while running. */
  readonly checkedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly reason?: { readonly text: string; readonly code: string; readonly message: string } | undefined;
  readonly spotRequest?: string | undefined;
  readonly clientToken?: string | undefined;
  readonly rebalanceAt?: number | undefined;
  readonly interruption?: Interruption | undefined;
}

export type SpotState = "open" | "active" | "closed" | "cancelled" | "failed" | "disabled";

export interface SpotRequest extends Resource {
  readonly type: "one-time" | "persistent";
  readonly behavior: InterruptionAction;
  /** Most it may cost, in ticks of 0.0001 dollar. */
  readonly mostTicks: number;
  readonly state: SpotState;
  readonly code: string;
  readonly message: string;
  readonly updatedAt: number;
  readonly createdAt: number;
  readonly validFrom?: number | undefined;
  readonly validUntil?: number | undefined;
  readonly plan: LaunchPlan;
  readonly launchGroup?: string | undefined;
  readonly zoneGroup?: string | undefined;
  readonly instance?: string | undefined;
  readonly launchedZone?: string | undefined;
  /** How many instances it has had. */
  readonly launches: number;
  readonly endedAt?: number | undefined;
  /** Fleet behind it. */
  readonly fleet?: string | undefined;
}

export type ImageState = "pending" | "available" | "failed";

export interface Image extends Resource {
  readonly name: string;
  readonly description: string;
  readonly state: ImageState;
  readonly createdAt: number;
  readonly architecture: string;
  readonly product: number;
  readonly rootDevice: string;
  readonly devices: readonly Device[];
  readonly sourceInstance?: string | undefined;
  readonly sourceImage?: string | undefined;
  readonly isPublic: boolean;
  readonly ownerAlias?: string | undefined;
}

export interface Snapshot extends Resource {
  readonly volume: string;
  readonly gib: number;
  readonly state: "pending" | "completed" | "error";
  readonly startedAt: number;
  readonly description: string;
  readonly encrypted: boolean;
}

export interface Volume extends Resource {
  readonly gib: number;
  readonly type: string;
  readonly zone: string;
  readonly snapshot: string;
  readonly createdAt: number;
  readonly encrypted: boolean;
  readonly attachment?:
    | { readonly instance: string; readonly device: string; readonly deleteOnTermination: boolean; readonly at: number }
    | undefined;
}

export interface KeyPair extends Resource {
  readonly name: string;
  readonly type: string;
  readonly fingerprint: string;
  readonly createdAt: number;
  readonly publicKey: string;
}

export interface IpRule {
  readonly protocol: string;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly ranges: readonly { readonly cidr: string; readonly description?: string | undefined }[];
  readonly groups: readonly string[];
}

export interface SecurityGroup extends Resource {
  readonly name: string;
  readonly description: string;
  readonly vpc: string;
  readonly ingress: readonly IpRule[];
}

export interface TemplateVersion {
  readonly number: number;
  readonly description?: string | undefined;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Wire members of LaunchTemplateData, as they came. */
  readonly data: readonly (readonly [name: string, value: string])[];
}

export interface LaunchTemplate extends Resource {
  readonly name: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly defaultVersion: number;
  /** Number of the last version made; numbers of deleted versions are not given again. */
  readonly lastVersion: number;
  /** At least the default one, in order of number. */
  readonly versions: readonly TemplateVersion[];
}
