/** Instance types with what follows from family and size: vCPU, memory, price, architecture; and where they are offered. */
import { burstFamilies, burstSizes, type Family, families, listedFamilies } from "./families.ts";
import { hashText, mix, unit } from "./hash.ts";
import type { Region } from "./regions.ts";

export interface InstanceType {
  readonly name: string;
  readonly family: string;
  readonly size: string;
  readonly vcpu: number;
  readonly threadsPerCore: number;
  readonly memoryMib: number;
  readonly architecture: "x86_64" | "arm64";
  readonly manufacturer: "Intel" | "AMD" | "AWS";
  readonly bareMetal: boolean;
  readonly burstable: boolean;
  readonly hypervisor: "nitro" | "xen";
  /** Micro-dollars an hour, Linux, us-east-1, on demand. */
  readonly microDollars: number;
  /** Micro-dollars an hour that Windows adds on demand. */
  readonly windowsMicroDollars: number;
}

export interface Catalogue {
  /** In order of name. */
  readonly types: readonly InstanceType[];
  named(name: string): InstanceType | undefined;
  offeredIn(type: InstanceType, region: Region): boolean;
  offeredInZone(type: InstanceType, region: Region, zone: number): boolean;
}

/** Offered in every region and, but for the oldest zone, everywhere in it: what clients ask for by default. */
const everywhere: ReadonlySet<string> = new Set(
  "t3 t3a t4g m5 m5d c5 c5d r5 r5d m6i c6i r6i m6g c6g r6g m7g c7g r7g m7i c7i r7i i3 i3en".split(" "),
);
/** All that the oldest zone of us-east-1 has left. */
const oldest: ReadonlySet<string> = new Set("t2 t3 m4 c4 r4 i3 m5 c5 r5".split(" "));
const xenFamilies: ReadonlySet<string> = new Set("t2 m4 c4 r4 i3 h1 p3".split(" "));

export function createCatalogue(): Catalogue {
  const types = [...families.flatMap(regular), ...burstable(), ...listed()];
  types.sort((left, right) => (left.name < right.name ? -1 : 1));
  const byName = new Map(types.map((type) => [type.name, type]));
  return {
    types,
    named: (name) => byName.get(name),
    offeredIn,
    offeredInZone(type, region, zone) {
      const place = region.zones[zone];
      if (!place || !offeredIn(type, region)) return false;
      if (place.share < 0.1) return oldest.has(type.family);
      return everywhere.has(type.family) || drawn(`${place.id}/${type.family}`) < place.share;
    },
  };
}

function offeredIn(type: InstanceType, region: Region): boolean {
  return everywhere.has(type.family) || region.share >= 1 || drawn(`${region.name}/${type.family}`) < region.share;
}

/** Where a family is offered is a fact of the catalogue, the same under every seed. */
function drawn(label: string): number {
  return unit(mix(hashText(label), 0x0ffe2ed));
}

function regular(family: Family): InstanceType[] {
  const steps = family.ladder.split(" ");
  const largest = Math.max(...steps.map((step) => unitsOf(step, 0)));
  return steps.map((step) => {
    const units = unitsOf(step, largest);
    const metal = step.startsWith("metal");
    const factor = metal ? (family.metal ?? (units < largest ? 1.1 : 1)) : 1;
    const vcpu = vcpuOf(family.name, step, units);
    return describe(family.name, sizeName(step), vcpu, memoryOf(family, step, units), factor * family.large * units);
  });
}

/** A `large` is one unit. A metal size equals the largest virtual size, or the one it names. */
function unitsOf(step: string, largest: number): number {
  if (step === "medium") return 0.5;
  if (step === "large") return 1;
  if (step === "xlarge") return 2;
  if (step === "metal") return largest;
  return 2 * Number(step.replace("metal-", ""));
}

function sizeName(step: string): string {
  if (/^\d+$/.test(step)) return `${step}xlarge`;
  return step.startsWith("metal-") ? `${step}xl` : step;
}

function vcpuOf(family: string, step: string, units: number): number {
  if (family === "c4" && step === "8") return 36;
  return step === "medium" ? 1 : units * 2;
}

function memoryOf(family: Family, step: string, units: number): number {
  if (family.name === "c4" && step === "8") return 60;
  if (family.name === "c5n" && units >= 18) return units >= 36 ? 192 : 96;
  return family.gibPerVcpu * units * 2;
}

function burstable(): InstanceType[] {
  return burstFamilies.flatMap(({ name, large }) =>
    burstSizes.map(([size, vcpu, gib, part, windows]) => {
      const single = name === "t2" && gib <= 2;
      return { ...describe(name, size, single ? 1 : vcpu, gib, large * part), windowsMicroDollars: micro(windows) };
    }),
  );
}

function listed(): InstanceType[] {
  return listedFamilies.flatMap(({ name, sizes }) =>
    sizes.split(", ").map((entry) => {
      const [size = "", price = "", vcpu = "", gib = ""] = entry.split(" ");
      return describe(name, size, Number(vcpu), Number(gib), Number(price));
    }),
  );
}

function describe(family: string, size: string, vcpu: number, gib: number, dollars: number): InstanceType {
  const trait = family.replace(/^[a-z]+\d+/, "");
  const arm = trait.startsWith("g");
  const amd = trait.startsWith("a");
  const wholeCores = arm || (amd && /^[a-z](7|8)/.test(family)) || vcpu === 1;
  return {
    name: `${family}.${size}`,
    family,
    size,
    vcpu,
    threadsPerCore: wholeCores ? 1 : 2,
    memoryMib: Math.round(gib * 1024),
    architecture: arm ? "arm64" : "x86_64",
    manufacturer: arm ? "AWS" : amd ? "AMD" : "Intel",
    bareMetal: size.startsWith("metal"),
    burstable: /^t\d/.test(family),
    hypervisor: xenFamilies.has(family) ? "xen" : "nitro",
    microDollars: micro(dollars),
    windowsMicroDollars: arm ? 0 : micro(0.046 * vcpu),
  };
}

function micro(dollars: number): number {
  return Math.round(dollars * 1e6);
}

/** Red Hat's surcharge an hour, in micro-dollars: per vCPU, cheaper above 8 and above 127. */
export function redHatMicroDollars(vcpu: number): number {
  return vcpu * (vcpu <= 8 ? 14_400 : vcpu <= 127 ? 10_800 : 9_600);
}

/** SUSE's surcharge an hour, in micro-dollars: three steps by size. */
export function suseMicroDollars(vcpu: number): number {
  return vcpu <= 2 ? 56_250 : vcpu <= 4 ? 100_000 : 125_000;
}
