/** What the provider's event bus would carry, sent to every webhook endpoint that wants it. */
import { isoSeconds } from "../../kernel/clock.ts";
import type { Runtime } from "../../kernel/emulator.ts";
import { regionNamed, zoneNames } from "../domain/regions.ts";
import type { Image, Instance, InstanceState, InterruptionAction } from "../domain/resources.ts";
import type { SpotStore } from "../store.ts";

interface Envelope {
  readonly type: string;
  readonly title: string;
  readonly account: string;
  readonly region: string;
  readonly resource: string;
  readonly subject: string;
  readonly at: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

function emit(runtime: Runtime<SpotStore>, event: Envelope): void {
  const { ids, outbox } = runtime;
  if (outbox.endpoints.wanting(event.type).length === 0) return;
  const time = isoSeconds(event.at);
  outbox.emit({
    type: event.type,
    subject: event.subject,
    occurredAt: event.at,
    data: {
      version: "0",
      id: ids.fixed("ec2.event", [event.type, event.subject, event.at, JSON.stringify(event.detail)]).uuid(),
      "detail-type": event.title,
      source: "aws.ec2",
      account: event.account,
      time,
      region: event.region,
      resources: [event.resource],
      detail: event.detail,
    },
  });
}

/** The zone stands where other ARNs have the region, and the account is left out: so AWS sends it. */
function zonedArn(runtime: Runtime<SpotStore>, instance: Instance): string {
  const region = regionNamed(instance.region);
  const account = runtime.state.account(instance.account);
  const place = region?.zones.findIndex((zone) => zone.id === instance.zone) ?? -1;
  const zone = region && account ? zoneNames(region, account)[place] : undefined;
  return `arn:aws:ec2:${zone ?? instance.region}:instance/${instance.id}`;
}

function instanceArn({ region, account, id }: Instance): string {
  return `arn:aws:ec2:${region}:${account}:instance/${id}`;
}

export function tellState(runtime: Runtime<SpotStore>, instance: Instance, state: InstanceState, at: number): void {
  emit(runtime, {
    type: "ec2.instance_state_change",
    title: "EC2 Instance State-change Notification",
    account: instance.account,
    region: instance.region,
    resource: instanceArn(instance),
    subject: instance.id,
    at,
    detail: { "instance-id": instance.id, state },
  });
}

export function tellWarning(
  runtime: Runtime<SpotStore>,
  instance: Instance,
  action: InterruptionAction,
  at: number,
): void {
  emit(runtime, {
    type: "ec2.spot_interruption_warning",
    title: "EC2 Spot Instance Interruption Warning",
    account: instance.account,
    region: instance.region,
    resource: zonedArn(runtime, instance),
    subject: instance.id,
    at,
    detail: { "instance-id": instance.id, "instance-action": action },
  });
}

export function tellRebalance(runtime: Runtime<SpotStore>, instance: Instance, at: number): void {
  emit(runtime, {
    type: "ec2.rebalance_recommendation",
    title: "EC2 Instance Rebalance Recommendation",
    account: instance.account,
    region: instance.region,
    resource: zonedArn(runtime, instance),
    subject: instance.id,
    at,
    detail: { "instance-id": instance.id },
  });
}

export function tellFulfilment(runtime: Runtime<SpotStore>, instance: Instance, request: string, at: number): void {
  emit(runtime, {
    type: "ec2.spot_request_fulfillment",
    title: "EC2 Spot Instance Request Fulfillment",
    account: instance.account,
    region: instance.region,
    resource: instanceArn(instance),
    subject: instance.id,
    at,
    detail: { "spot-instance-request-id": request, "instance-id": instance.id },
  });
}

export function tellImage(runtime: Runtime<SpotStore>, image: Image, at: number): void {
  emit(runtime, {
    type: "ec2.image_state_change",
    title: "EC2 AMI State Change",
    account: image.account,
    region: image.region,
    resource: `arn:aws:ec2:${image.region}::image/${image.id}`,
    subject: image.id,
    at,
    detail: { RequestId: "", ImageId: image.id, State: image.state, ErrorMessage: "" },
  });
}
