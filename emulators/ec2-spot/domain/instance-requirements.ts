/** Attribute-based selection: which instance types have what a request asks for. */
import type { InstanceType } from "./catalogue.ts";
import { matchesAny } from "./wildcard.ts";

export interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export type Inclusion = "included" | "required" | "excluded";

export interface InstanceRequirements {
  readonly vcpu: Range;
  readonly memoryMib: Range;
  readonly memoryGibPerVcpu: Range;
  /** Empty: any. */
  readonly manufacturers: readonly string[];
  /** `current`, `previous`; empty: both. */
  readonly generations: readonly string[];
  /** Names with wildcards. */
  readonly allowed: readonly string[];
  readonly excluded: readonly string[];
  readonly bareMetal: Inclusion;
  readonly burstable: Inclusion;
  readonly localStorage: Inclusion;
  readonly accelerators: "any" | "none" | "some";
  readonly acceleratorTypes: readonly string[];
  readonly acceleratorManufacturers: readonly string[];
  /** Price protection: percent over the lowest price. */
  readonly limits: { readonly spotPercent: number; readonly onDemandPercent: number };
}

/** What the catalogue does not say of a type itself. */
export interface TypeTraits {
  readonly localStorage: boolean;
}

const manufacturerNames = { Intel: "intel", AMD: "amd", AWS: "amazon-web-services" } as const;

/** The kind and maker of a type's accelerators, by family. */
export function acceleratorOf({ family }: InstanceType): { readonly type: string; readonly maker: string } | undefined {
  if (family === "g4ad") return { type: "gpu", maker: "amd" };
  if (/^(g|gr|p)\d/.test(family)) return { type: "gpu", maker: "nvidia" };
  return /^(inf|trn)\d/.test(family) ? { type: "inference", maker: "amazon-web-services" } : undefined;
}

export function meets(type: InstanceType, traits: TypeTraits, wanted: InstanceRequirements): boolean {
  const accelerator = acceleratorOf(type);
  return (
    within(type.vcpu, wanted.vcpu) &&
    within(type.memoryMib, wanted.memoryMib) &&
    within(type.memoryMib / 1024 / type.vcpu, wanted.memoryGibPerVcpu) &&
    oneOf(manufacturerNames[type.manufacturer], wanted.manufacturers) &&
    oneOf("current", wanted.generations) &&
    (wanted.allowed.length === 0 || matchesAny(wanted.allowed, type.name)) &&
    !matchesAny(wanted.excluded, type.name) &&
    allows(wanted.bareMetal, type.bareMetal) &&
    allows(wanted.burstable, type.burstable) &&
    allows(wanted.localStorage, traits.localStorage) &&
    (wanted.accelerators === "any" || (wanted.accelerators === "some") === (accelerator !== undefined)) &&
    oneOf(accelerator?.type, wanted.acceleratorTypes) &&
    oneOf(accelerator?.maker, wanted.acceleratorManufacturers)
  );
}

function within(value: number, { min = 0, max = Number.POSITIVE_INFINITY }: Range): boolean {
  return value >= min && value <= max;
}

function oneOf(value: string | undefined, wanted: readonly string[]): boolean {
  return wanted.length === 0 || (value !== undefined && wanted.includes(value));
}

function allows(wanted: Inclusion, has: boolean): boolean {
  return wanted === "included" || (wanted === "required") === has;
}
