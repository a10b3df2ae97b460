/** DescribeInstanceAttribute and ModifyInstanceAttribute. */
import type { Instance } from "../domain/resources.ts";
import { reject } from "../errors.ts";
import { type Node, treeOf } from "../query-tree.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList, wrap } from "../wire/xml.ts";
import { instancesNamed } from "./instances.ts";
import { readGroups, readUserData } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";

/** Attributes and what stands in them. */
const attributes: Readonly<Record<string, (instance: Instance) => string>> = {
  instanceType: ({ plan }) => wrap("instanceType", element("value", plan.type)),
  userData: ({ plan }) => wrap("userData", plan.userData === undefined ? "" : element("value", plan.userData)),
  disableApiTermination: (instance) =>
    wrap("disableApiTermination", element("value", instance.attributes.disableApiTermination)),
  disableApiStop: (instance) => wrap("disableApiStop", element("value", instance.attributes.disableApiStop)),
  instanceInitiatedShutdownBehavior: (instance) =>
    wrap("instanceInitiatedShutdownBehavior", element("value", instance.attributes.shutdownBehavior)),
  rootDeviceName: ({ plan }) => wrap("rootDeviceName", element("value", plan.rootDevice)),
  ebsOptimized: ({ plan }) => wrap("ebsOptimized", element("value", plan.ebsOptimized)),
  sourceDestCheck: (instance) => wrap("sourceDestCheck", element("value", instance.attributes.sourceDestCheck)),
  enaSupport: () => wrap("enaSupport", element("value", true)),
  sriovNetSupport: () => wrap("sriovNetSupport", element("value", "simple")),
  productCodes: () => "<productCodes/>",
  groupSet: ({ plan }) =>
    itemList(
      "groupSet",
      plan.groups.map(({ id, name }) => element("groupId", id) + element("groupName", name)),
    ),
  blockDeviceMapping: ({ volumes, launchedAt }) =>
    itemList(
      "blockDeviceMapping",
      volumes.map(
        ({ device, volume, deleteOnTermination }) =>
          element("deviceName", device) +
          wrap(
            "ebs",
            element("volumeId", volume) +
              element("status", "attached") +
              element("attachTime", instantText(launchedAt)) +
              element("deleteOnTermination", deleteOnTermination),
          ),
      ),
    ),
};

function instanceNamed(call: Call): Instance {
  const id = call.parameters.text("InstanceId") ?? reject("missingParameter", "InstanceId");
  const [instance] = instancesNamed(call, [id]);
  return instance ?? reject("instanceNotFound", id);
}

export const describeInstanceAttribute: Operation = {
  service: "ec2",
  action: "DescribeInstanceAttribute",
  parameters: parameterNames("InstanceId DryRun Attribute"),
  run(call) {
    const instance = instanceNamed(call);
    const name = call.parameters.text("Attribute") ?? reject("missingParameter", "Attribute");
    const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (!attribute) return reject("badValue", "attribute", name);
    stopDryRun(call);
    return answerEc2(call, "DescribeInstanceAttribute", element("instanceId", instance.id) + attribute(instance));
  },
};

/** What a new value of an attribute makes of an instance; `at` is the node that holds it. */
type Change = (call: Call, instance: Instance, at: Node) => Partial<Instance>;

function flagOf(at: Node): boolean {
  return at.flag("Value") ?? reject("missingParameter", `${at.path}.Value`);
}

function refuseUnlessStopped({ id, state }: Instance): void {
  if (state !== "stopped") reject("incorrectState", `The instance '${id}' is not in the 'stopped' state.`);
}

function withAttributes(instance: Instance, changed: Partial<Instance["attributes"]>): Partial<Instance> {
  return { attributes: { ...instance.attributes, ...changed } };
}

const changes: Readonly<Record<string, Change>> = {
  DisableApiTermination(_call, instance, at) {
    const disableApiTermination = flagOf(at);
    if (disableApiTermination && instance.spotRequest !== undefined)
      reject("unsupported", "Termination protection cannot be enabled for Spot Instances.");
    return withAttributes(instance, { disableApiTermination });
  },
  DisableApiStop: (_call, instance, at) => withAttributes(instance, { disableApiStop: flagOf(at) }),
  SourceDestCheck: (_call, instance, at) => withAttributes(instance, { sourceDestCheck: flagOf(at) }),
  InstanceInitiatedShutdownBehavior(_call, instance, at) {
    const value = at.text("Value");
    if (value !== "stop" && value !== "terminate")
      return reject("badValue", "instanceInitiatedShutdownBehavior", value ?? "");
    return withAttributes(instance, { shutdownBehavior: value });
  },
  InstanceType(call, instance, at) {
    refuseUnlessStopped(instance);
    if (instance.spotRequest !== undefined)
      reject("unsupported", "The instance type of a Spot Instance cannot be changed.");
    const name = at.text("Value") ?? "";
    const { catalogue } = call.runtime.state.regions;
    const type = catalogue.named(name);
    if (!type || !catalogue.offeredIn(type, call.region)) return reject("valueForType", name);
    if (type.architecture !== instance.plan.architecture)
      reject("invalidValue", `The architecture of ${name} is not that of the instance's image.`);
    return { plan: { ...instance.plan, type: name } };
  },
  UserData(_call, instance, at) {
    refuseUnlessStopped(instance);
    const userData = readUserData(at, "Value");
    const { userData: _old, ...plan } = instance.plan;
    return { plan: userData === undefined ? plan : { ...plan, userData } };
  },
  EbsOptimized(_call, instance, at) {
    refuseUnlessStopped(instance);
    return { plan: { ...instance.plan, ebsOptimized: flagOf(at) } };
  },
};

/** One attribute a call, as on AWS: by a member of its own, or by `Attribute` and `Value`. */
export const modifyInstanceAttribute: Operation = {
  service: "ec2",
  action: "ModifyInstanceAttribute",
  parameters: parameterNames(
    "InstanceId DryRun Attribute Value BlockDeviceMapping.* DisableApiTermination.* DisableApiStop.* SourceDestCheck.* InstanceInitiatedShutdownBehavior.* InstanceType.* UserData.* EbsOptimized.* GroupId",
  ),
  run(call) {
    const instance = instanceNamed(call);
    const node = treeOf(call.parameters);
    if (node.at("BlockDeviceMapping").given)
      reject("unsupported", "Backlot does not change the devices of an instance.");
    const attribute = node.text("Attribute");
    const named = attribute === undefined ? undefined : attribute.charAt(0).toUpperCase() + attribute.slice(1);
    const asked = Object.keys(changes).filter((name) => name === named || node.at(name).given);
    const groups = node.list("GroupId");
    if (asked.length + Number(groups.length > 0) > 1)
      reject("combination", "Fields for multiple attribute types specified");
    const [name = ""] = asked;
    const change = changes[name];
    if (!change && groups.length === 0) {
      if (attribute === undefined) reject("combination", "No attributes specified.");
      reject("badValue", "attribute", attribute);
    }
    const changed = change
      ? change(call, instance, named === undefined ? node.at(name) : node)
      : { plan: { ...instance.plan, groups: readGroups(call, groups) } };
    stopDryRun(call);
    call.exchange.note("resource", instance.id);
    call.runtime.store.write(() => call.runtime.state.resources.instance.put({ ...instance, ...changed }));
    return answerEc2(call, "ModifyInstanceAttribute", element("return", true));
  },
};
