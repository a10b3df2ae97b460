/**
 * Products of the price list: what every type costs on demand in every region, by operating system. Each has the four
 * variants that a client which filters too little also finds on AWS.
 */
import { createHash } from "node:crypto";
import { type Catalogue, type InstanceType, redHatMicroDollars, suseMicroDollars } from "./catalogue.ts";
import { platformOf } from "./platforms.ts";
import type { Region } from "./regions.ts";

export const systems = ["Linux", "RHEL", "SUSE", "Windows"] as const;

export const variants = [
  { status: "Used", tenancy: "Shared", usage: "BoxUsage" },
  { status: "UnusedCapacityReservation", tenancy: "Shared", usage: "UnusedBox" },
  { status: "AllocatedCapacityReservation", tenancy: "Shared", usage: "Reservation" },
  { status: "Used", tenancy: "Dedicated", usage: "DedicatedUsage" },
] as const;

/** Names of places as the price list writes them. */
const locations: ReadonlyMap<string, readonly [location: string, prefix: string]> = new Map([
  ["us-east-1", ["US East (N. Virginia)", ""]],
  ["us-east-2", ["US East (Ohio)", "USE2-"]],
  ["us-west-1", ["US West (N. California)", "USW1-"]],
  ["us-west-2", ["US West (Oregon)", "USW2-"]],
  ["ca-central-1", ["Canada (Central)", "CAN1-"]],
  ["eu-west-1", ["EU (Ireland)", "EU-"]],
  ["eu-west-2", ["EU (London)", "EUW2-"]],
  ["eu-west-3", ["EU (Paris)", "EUW3-"]],
  ["eu-central-1", ["EU (Frankfurt)", "EUC1-"]],
  ["eu-north-1", ["EU (Stockholm)", "EUN1-"]],
  ["eu-south-1", ["EU (Milan)", "EUS1-"]],
  ["ap-northeast-1", ["Asia Pacific (Tokyo)", "APN1-"]],
  ["ap-northeast-2", ["Asia Pacific (Seoul)", "APN2-"]],
  ["ap-northeast-3", ["Asia Pacific (Osaka)", "APN3-"]],
  ["ap-southeast-1", ["Asia Pacific (Singapore)", "APS1-"]],
  ["ap-southeast-2", ["Asia Pacific (Sydney)", "APS2-"]],
  ["ap-south-1", ["Asia Pacific (Mumbai)", "APS3-"]],
  ["sa-east-1", ["South America (Sao Paulo)", "SAE1-"]],
  ["af-south-1", ["Africa (Cape Town)", "AFS1-"]],
  ["ap-east-1", ["Asia Pacific (Hong Kong)", "APE1-"]],
  ["me-south-1", ["Middle East (Bahrain)", "MES1-"]],
  ["me-central-1", ["Middle East (UAE)", "MEC1-"]],
] as const);

export function locationOf(region: Region): string {
  return locations.get(region.name)?.[0] ?? region.name;
}

export interface PriceKey {
  readonly region: Region;
  readonly type: InstanceType;
  readonly system: number;
  readonly variant: number;
}

/** All products of a region in a fixed order. */
export function* pricesIn(catalogue: Catalogue, region: Region, typeName?: string): Generator<PriceKey> {
  const named = typeName === undefined ? undefined : catalogue.named(typeName);
  const types = typeName === undefined ? catalogue.types : named ? [named] : [];
  for (const type of types) {
    if (!catalogue.offeredIn(type, region)) continue;
    for (let system = 0; system < systems.length; system += 1) {
      if (type.architecture === "arm64" && system === 3) continue;
      for (let variant = 0; variant < variants.length; variant += 1) yield { region, type, system, variant };
    }
  }
}

/** Micro-dollars an hour. */
export function priceOf({ region, type, system, variant }: PriceKey): number {
  if (variant === 2) return 0;
  const linux = Math.round(type.microDollars * region.multiplier);
  const used =
    linux +
    (system === 1
      ? redHatMicroDollars(type.vcpu)
      : system === 2
        ? suseMicroDollars(type.vcpu)
        : system === 3
          ? type.windowsMicroDollars
          : 0);
  return variant === 3 ? Math.round(used * 1.06) : used;
}

const unitFactor: Readonly<Record<string, string>> = {
  nano: "0.25",
  micro: "0.5",
  small: "1",
  medium: "2",
  large: "4",
  xlarge: "8",
};

function normalization(size: string): string {
  const times = /^(\d+)xlarge$/.exec(size)?.[1] ?? /^metal-(\d+)xl$/.exec(size)?.[1];
  return times === undefined ? (unitFactor[size] ?? "NA") : String(8 * Number(times));
}

function familyName(type: InstanceType): string {
  if (/^(p\d|g\d|inf|trn)/.test(type.family))
    return type.family.startsWith("inf") || type.family.startsWith("trn")
      ? "Machine Learning ASIC Instances"
      : "GPU instance";
  const letter = type.family[0] ?? "m";
  if (letter === "c") return "Compute optimized";
  if (letter === "r" || letter === "x" || letter === "z") return "Memory optimized";
  return letter === "i" || letter === "d" || letter === "h" ? "Storage optimized" : "General purpose";
}

function gib(type: InstanceType): string {
  return `${type.memoryMib / 1024} GiB`;
}

export function familyOf({ type }: PriceKey): string {
  return type.bareMetal ? "Compute Instance (bare metal)" : "Compute Instance";
}

/** In alphabetical order, as the service writes them. */
export function attributesOf(key: PriceKey): Readonly<Record<string, string>> {
  const { region, type, system, variant } = key;
  const { status, tenancy, usage } = variants[variant] ?? variants[0];
  const [location, prefix] = locations.get(region.name) ?? [region.name, ""];
  const { usageOperation } = platformOf(system);
  return {
    availabilityzone: "NA",
    capacitystatus: status,
    classicnetworkingsupport: "false",
    currentGeneration: "Yes",
    dedicatedEbsThroughput: type.hypervisor === "xen" ? "750 Mbps" : "Up to 4750 Mbps",
    ecu: "Variable",
    enhancedNetworkingSupported: type.family === "t2" ? "No" : "Yes",
    instanceFamily: familyName(type),
    instanceType: type.name,
    licenseModel: "No License required",
    location,
    locationType: "AWS Region",
    marketoption: "OnDemand",
    memory: gib(type),
    networkPerformance: type.vcpu <= 16 ? "Up to 10 Gigabit" : "25 Gigabit",
    normalizationSizeFactor: normalization(type.size),
    operatingSystem: systems[system] ?? "Linux",
    operation: usageOperation,
    physicalProcessor:
      type.manufacturer === "AWS" ? "AWS Graviton Processor" : type.manufacturer === "AMD" ? "AMD EPYC" : "Intel Xeon",
    preInstalledSw: "NA",
    processorArchitecture: "64-bit",
    regionCode: region.name,
    servicecode: "AmazonEC2",
    servicename: "Amazon Elastic Compute Cloud",
    storage: "EBS only",
    tenancy: type.bareMetal && variant === 0 ? "Dedicated" : tenancy,
    usagetype: `${prefix}${usage}:${type.name}`,
    vcpu: String(type.vcpu),
    vpcnetworkingsupport: "true",
  };
}

const skuAlphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";

/** 16 characters, always the same for the same product. */
export function skuOf({ region, type, system, variant }: PriceKey): string {
  const digest = createHash("sha256")
    .update(`sku\u0000${region.name}\u0000${type.name}\u0000${system}\u0000${variant}`)
    .digest();
  let sku = "";
  for (let index = 0; index < 16; index += 1) sku += skuAlphabet.charAt((digest[index] ?? 0) % skuAlphabet.length);
  return sku;
}

/** Version and date of the list: it is republished at the beginning of each month. */
export function publication(now: number): {
  readonly version: string;
  readonly date: string;
  readonly effective: string;
} {
  const at = new Date(now);
  const first = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1)).toISOString();
  return {
    version: `${first.slice(0, 10).replaceAll("-", "")}204500`,
    date: `${first.slice(0, 10)}T20:45:00Z`,
    effective: `${first.slice(0, 10)}T00:00:00Z`,
  };
}
