/** The subscription to spot usage data: one for each account. Nothing is delivered to the bucket. */
import { reject } from "../errors.ts";
import { element, wrap } from "../wire/xml.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";

function datafeedId(call: Call): string {
  const { account } = ownerOf(call);
  return `datafeed-${account}`;
}

function datafeedXml(account: string, bucket: string, prefix: string): string {
  return wrap(
    "spotDatafeedSubscription",
    element("bucket", bucket) + element("ownerId", account) + element("prefix", prefix) + element("state", "Active"),
  );
}

export const createSpotDatafeedSubscription: Operation = {
  service: "ec2",
  action: "CreateSpotDatafeedSubscription",
  parameters: parameterNames("Bucket DryRun Prefix"),
  run(call) {
    const bucket = call.parameters.text("Bucket") ?? reject("missingParameter", "Bucket");
    const prefix = call.parameters.text("Prefix") ?? "";
    stopDryRun(call);
    const owner = ownerOf(call);
    const { runtime } = call;
    runtime.store.write(() =>
      runtime.state.resources.datafeed.put({ id: datafeedId(call), ...owner, tags: [], bucket, prefix }),
    );
    return answerEc2(call, "CreateSpotDatafeedSubscription", datafeedXml(owner.account, bucket, prefix));
  },
};

export const describeSpotDatafeedSubscription: Operation = {
  service: "ec2",
  action: "DescribeSpotDatafeedSubscription",
  parameters: parameterNames("DryRun"),
  run(call) {
    const feed = call.runtime.state.resources.datafeed.get(datafeedId(call)) ?? reject("datafeedNotFound");
    stopDryRun(call);
    return answerEc2(call, "DescribeSpotDatafeedSubscription", datafeedXml(feed.account, feed.bucket, feed.prefix));
  },
};

export const deleteSpotDatafeedSubscription: Operation = {
  service: "ec2",
  action: "DeleteSpotDatafeedSubscription",
  parameters: parameterNames("DryRun"),
  run(call) {
    stopDryRun(call);
    const { resources } = call.runtime.state;
    call.runtime.store.write(() => resources.datafeed.remove(datafeedId(call)));
    return answerEc2(call, "DeleteSpotDatafeedSubscription", element("return", true));
  },
};
