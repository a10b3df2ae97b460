/** Instance types, in the order of EC2's model. */
import type { InstanceType } from "../domain/catalogue.ts";
import { element, itemList, wrap } from "./xml.ts";

export function instanceTypeXml(type: InstanceType): string {
  const virtual = !type.bareMetal;
  return (
    element("instanceType", type.name) +
    element("currentGeneration", true) +
    element("freeTierEligible", type.name === "t3.micro" || type.name === "t2.micro") +
    itemList("supportedUsageClasses", ["on-demand", "spot"]) +
    itemList("supportedRootDeviceTypes", ["ebs"]) +
    itemList("supportedVirtualizationTypes", ["hvm"]) +
    element("bareMetal", type.bareMetal) +
    (virtual ? element("hypervisor", type.hypervisor) : "") +
    wrap(
      "processorInfo",
      itemList("supportedArchitectures", [type.architecture]) + element("manufacturer", type.manufacturer),
    ) +
    wrap("vCpuInfo", vCpu(type)) +
    wrap("memoryInfo", element("sizeInMiB", type.memoryMib)) +
    element("instanceStorageSupported", hasInstanceStorage(type)) +
    wrap("ebsInfo", ebs(type)) +
    wrap("networkInfo", network(type)) +
    wrap(
      "placementGroupInfo",
      itemList("supportedStrategies", type.burstable ? ["partition", "spread"] : ["cluster", "partition", "spread"]),
    ) +
    element("burstablePerformanceSupported", type.burstable) +
    element("dedicatedHostsSupported", !type.burstable) +
    element("autoRecoverySupported", virtual) +
    itemList(
      "supportedBootModes",
      type.architecture === "arm64" ? ["uefi"] : type.hypervisor === "xen" ? ["legacy-bios"] : ["legacy-bios", "uefi"],
    )
  );
}

function vCpu(type: InstanceType): string {
  const cores = type.vcpu / type.threadsPerCore;
  return (
    element("defaultVCpus", type.vcpu) +
    element("defaultCores", cores) +
    element("defaultThreadsPerCore", type.threadsPerCore)
  );
}

function ebs(type: InstanceType): string {
  return (
    element("ebsOptimizedSupport", type.family === "t2" ? "unsupported" : "default") +
    element("encryptionSupport", "supported") +
    element("nvmeSupport", type.hypervisor === "xen" ? "unsupported" : "required")
  );
}

function network(type: InstanceType): string {
  return (
    element("ipv6Supported", true) +
    element("enaSupport", type.family === "t2" ? "unsupported" : type.hypervisor === "xen" ? "supported" : "required") +
    element("efaSupported", false)
  );
}

/** Families with disks of their own: storage families, and a `d` among the letters after the generation. */
export function hasInstanceStorage(type: InstanceType): boolean {
  const [series = "", traits = ""] = type.family.split(/\d+/);
  return (
    /^(i|im|is|d|h|z|trn)$/.test(series) ||
    traits.includes("d") ||
    /^(g5|g6|g6e|p4d|p5|x2idn|x2iedn)$/.test(type.family)
  );
}
