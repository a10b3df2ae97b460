/** InstanceRequirements as requests carry them, the types that meet them, and GetInstanceTypesFromInstanceRequirements. */
import type { InstanceType } from "../domain/catalogue.ts";
import { type Inclusion, type InstanceRequirements, meets, type Range } from "../domain/instance-requirements.ts";
import type { Region } from "../domain/regions.ts";
import { reject } from "../errors.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { hasInstanceStorage } from "../wire/instance-types.ts";
import { element, itemList } from "../wire/xml.ts";
import { answerPage, pageOf } from "./describe.ts";
import { type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";

/** What the catalogue has no figures for; nothing is chosen by it rather than something wrong. */
const unknown = [
  "NetworkInterfaceCount",
  "LocalStorageType",
  "TotalLocalStorageGB",
  "BaselineEbsBandwidthMbps",
  "AcceleratorName",
  "AcceleratorTotalMemoryMiB",
  "NetworkBandwidthGbps",
  "BaselinePerformanceFactors",
  "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice",
];

/** Percentages with which EC2 protects prices unless told otherwise. */
const usualSpotPercent = 100;
const usualOnDemandPercent = 20;

export function readRequirements(node: Node): InstanceRequirements {
  for (const name of unknown)
    if (node.at(name).given) reject("unsupported", `Backlot does not choose instance types by ${name}.`);
  for (const name of ["RequireHibernateSupport", "RequireEncryptionInTransit"])
    if (node.flag(name)) reject("unsupported", `Backlot does not choose instance types by ${name}.`);
  const vcpu = readRange(node, "VCpuCount");
  const memoryMib = readRange(node, "MemoryMiB");
  if (vcpu.min === undefined) reject("missingParameter", `${node.path}.VCpuCount.Min`);
  if (memoryMib.min === undefined) reject("missingParameter", `${node.path}.MemoryMiB.Min`);
  const allowed = node.list("AllowedInstanceType");
  const excluded = node.list("ExcludedInstanceType");
  if (allowed.length > 0 && excluded.length > 0)
    reject("parameterCombination", "AllowedInstanceTypes", "ExcludedInstanceTypes");
  return {
    vcpu,
    memoryMib,
    memoryGibPerVcpu: readRange(node, "MemoryGiBPerVCpu"),
    manufacturers: node.list("CpuManufacturer"),
    generations: node.list("InstanceGeneration"),
    allowed,
    excluded,
    bareMetal: readInclusion(node, "BareMetal", "excluded"),
    burstable: readInclusion(node, "BurstablePerformance", "excluded"),
    localStorage: readInclusion(node, "LocalStorage", "included"),
    accelerators: readAccelerators(node),
    acceleratorTypes: node.list("AcceleratorType"),
    acceleratorManufacturers: node.list("AcceleratorManufacturer"),
    limits: {
      spotPercent: node.integer("SpotMaxPricePercentageOverLowestPrice") ?? usualSpotPercent,
      onDemandPercent: node.integer("OnDemandMaxPricePercentageOverLowestPrice") ?? usualOnDemandPercent,
    },
  };
}

function readRange(node: Node, name: string): Range {
  const read = (end: "Min" | "Max") => {
    const text = node.text(`${name}.${end}`);
    if (text === undefined) return undefined;
    const value = Number(text);
    return text !== "" && value >= 0 ? value : reject("badValue", `${name}.${end}`, text);
  };
  const [min, max] = [read("Min"), read("Max")];
  if (min !== undefined && max !== undefined && min > max)
    reject("invalidValue", `The minimum of ${name} must not be greater than its maximum.`);
  return { min, max };
}

function readInclusion(node: Node, name: string, usual: Inclusion): Inclusion {
  const value = node.text(name) ?? usual;
  return value === "included" || value === "required" || value === "excluded" ? value : reject("badValue", name, value);
}

function readAccelerators(node: Node): InstanceRequirements["accelerators"] {
  const { min, max } = readRange(node, "AcceleratorCount");
  if (max === 0) return "none";
  if (max !== undefined || (min ?? 0) > 1)
    reject("unsupported", "Backlot knows whether a type has accelerators, not how many.");
  return min === undefined || min === 0 ? "any" : "some";
}

/** Names of the types of a region that meet the requirements, in order. */
export function typesMeeting(
  call: Call,
  region: Region,
  wanted: InstanceRequirements,
  architectures: readonly string[],
): readonly InstanceType[] {
  const { catalogue } = call.runtime.state.regions;
  return catalogue.types.filter(
    (type) =>
      architectures.includes(type.architecture) &&
      catalogue.offeredIn(type, region) &&
      meets(type, { localStorage: hasInstanceStorage(type) }, wanted),
  );
}

/** Does not look at prices or capacity, as the reference says of this operation. */
export const getInstanceTypesFromInstanceRequirements: Operation = {
  service: "ec2",
  action: "GetInstanceTypesFromInstanceRequirements",
  parameters: parameterNames(
    "DryRun ArchitectureType VirtualizationType InstanceRequirements.* MaxResults NextToken Context",
  ),
  run(call) {
    const node = treeOf(call.parameters);
    const architectures = node.list("ArchitectureType");
    if (architectures.length === 0) reject("missingParameter", "ArchitectureType");
    const virtualization = node.list("VirtualizationType");
    if (virtualization.length === 0) reject("missingParameter", "VirtualizationType");
    const wanted = readRequirements(node.at("InstanceRequirements"));
    stopDryRun(call);
    const found = virtualization.includes("hvm") ? typesMeeting(call, call.region, wanted, architectures) : [];
    const named = found.map(({ name }) => ({ id: name }));
    const page = pageOf(call, named, { purpose: "requirements", least: 1, usual: 1000 });
    const set = itemList(
      "instanceTypeSet",
      page.items.map(({ id }) => element("instanceType", id)),
    );
    return answerPage(call, "GetInstanceTypesFromInstanceRequirements", set, page);
  },
};
