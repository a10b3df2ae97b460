/** DescribeInstanceTypes. */
import type { InstanceType } from "../domain/catalogue.ts";
import { reject } from "../errors.ts";
import { hasInstanceStorage, instanceTypeXml } from "../wire/instance-types.ts";
import { element, itemList } from "../wire/xml.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";
import { passes } from "./places.ts";

const purpose = "instance-types";
const usualPage = 100;

export const describeInstanceTypes: Operation = {
  service: "ec2",
  action: "DescribeInstanceTypes",
  parameters: parameterNames("DryRun InstanceType Filter MaxResults NextToken IncludeUnsupportedInRegion"),
  run(call) {
    const { parameters, runtime, region, seals } = call;
    const { catalogue } = runtime.state.regions;
    const names = parameters.list("InstanceType");
    const limit = pageSize(call, names);
    const filters = parameters.filters();
    const token = parameters.text("NextToken");
    const after = token ? (seals.open(purpose, token) ?? reject("badToken")) : "";
    const offered = (name: string) => {
      const type = catalogue.named(name);
      return type && catalogue.offeredIn(type, region) ? type : undefined;
    };
    const unknown = names.filter((name) => !offered(name));
    if (unknown.length > 0) reject("instanceType", unknown.join(", "));
    const candidates = names.length > 0 ? catalogue.types.filter((type) => names.includes(type.name)) : catalogue.types;
    const found = candidates.filter((type) => catalogue.offeredIn(type, region) && passes(filters, facts(type)));
    stopDryRun(call);
    const page = found.filter((type) => type.name > after).slice(0, limit);
    const last = page.at(-1)?.name ?? "";
    const more = last !== "" && last !== found.at(-1)?.name;
    const set = itemList("instanceTypeSet", page.map(instanceTypeXml));
    return answerEc2(call, "DescribeInstanceTypes", more ? set + element("nextToken", seals.seal(purpose, last)) : set);
  },
};

function pageSize({ parameters }: Call, names: readonly string[]): number {
  const asked = parameters.integer("MaxResults");
  if (asked === undefined) return names.length > 0 ? names.length : usualPage;
  if (names.length > 0) reject("parameterCombination", "MaxResults", "InstanceTypes");
  if (asked < 5) reject("belowLeast", String(asked), "5");
  if (asked > 100) reject("aboveMost", String(asked), "100");
  return asked;
}

/** What filters can ask about. */
function facts(type: InstanceType): ReadonlyMap<string, readonly string[]> {
  return new Map<string, readonly string[]>([
    ["instance-type", [type.name]],
    ["auto-recovery-supported", [String(!type.bareMetal)]],
    ["bare-metal", [String(type.bareMetal)]],
    ["burstable-performance-supported", [String(type.burstable)]],
    ["current-generation", ["true"]],
    ["dedicated-hosts-supported", [String(!type.burstable)]],
    ["ebs-info.ebs-optimized-support", [type.family === "t2" ? "unsupported" : "default"]],
    ["ebs-info.encryption-support", ["supported"]],
    ["ebs-info.nvme-support", [type.hypervisor === "xen" ? "unsupported" : "required"]],
    ["free-tier-eligible", [String(type.name === "t3.micro" || type.name === "t2.micro")]],
    ["hypervisor", type.bareMetal ? [] : [type.hypervisor]],
    ["instance-storage-supported", [String(hasInstanceStorage(type))]],
    ["memory-info.size-in-mib", [String(type.memoryMib)]],
    ["network-info.efa-supported", ["false"]],
    [
      "network-info.ena-support",
      [type.family === "t2" ? "unsupported" : type.hypervisor === "xen" ? "supported" : "required"],
    ],
    ["network-info.ipv6-supported", ["true"]],
    ["processor-info.supported-architecture", [type.architecture]],
    ["supported-root-device-type", ["ebs"]],
    ["supported-usage-class", ["on-demand", "spot"]],
    ["supported-virtualization-type", ["hvm"]],
    ["vcpu-info.default-cores", [String(type.vcpu / type.threadsPerCore)]],
    ["vcpu-info.default-threads-per-core", [String(type.threadsPerCore)]],
    ["vcpu-info.default-vcpus", [String(type.vcpu)]],
  ]);
}
