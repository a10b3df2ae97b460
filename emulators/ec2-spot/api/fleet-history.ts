/** What happened to fleets of either kind: DescribeFleetHistory, DescribeSpotFleetRequestHistory. */
import type { Fleet, FleetEvent } from "../domain/fleets.ts";
import { reject } from "../errors.ts";
import { fleetEventXml } from "../wire/fleets.ts";
import { instantText } from "../wire/time.ts";
import { element, itemList } from "../wire/xml.ts";
import { pageOf } from "./describe.ts";
import { ownerOf } from "./launch-plan.ts";
import { answerEc2, type Call, type Operation, parameterNames, stopDryRun } from "./operation.ts";

/** Events can be described for two days. */
const keptMs = 48 * 3_600_000;

type TypeNames = Readonly<Record<FleetEvent["type"], string>>;

interface HistoryKind {
  readonly action: string;
  readonly kind: Fleet["kind"];
  /** Parameter that names the fleet, and its element in the answer. */
  readonly parameter: string;
  readonly element: string;
  readonly types: TypeNames;
  /** Types that may be asked for and of which nothing is recorded here. */
  readonly silent: readonly string[];
  readonly notFound: "fleetNotFound" | "spotFleetNotFound";
}

function historyOperation(of: HistoryKind): Operation {
  return {
    service: "ec2",
    action: of.action,
    parameters: parameterNames(`DryRun EventType MaxResults NextToken ${of.parameter} StartTime`),
    run: (call) => describeHistory(call, of),
  };
}

function describeHistory(call: Call, of: HistoryKind): Response {
  const { parameters, runtime } = call;
  const id = parameters.text(of.parameter) ?? reject("missingParameter", of.parameter);
  const start = parameters.instant("StartTime") ?? reject("missingParameter", "StartTime");
  const wanted = parameters.text("EventType");
  if (wanted !== undefined && ![...Object.values(of.types), ...of.silent].includes(wanted))
    reject("badValue", "eventType", wanted);
  const fleet = runtime.state.resources.fleet.of(ownerOf(call), id);
  if (fleet?.kind !== of.kind) return reject(of.notFound, id);
  stopDryRun(call);
  const now = runtime.clock.now();
  // A client whose clock is ahead of this one asks from now on.
  const from = Math.max(Math.min(start, now), now - keptMs);
  const events = fleet.history
    .filter(({ at, type }) => at >= from && (wanted === undefined || wanted === of.types[type]))
    .map((event) => ({ ...event, id: String(event.number) }));
  const page = pageOf(call, events, { purpose: `${of.action}/${fleet.id}`, least: 1 });
  return answerEc2(
    call,
    of.action,
    itemList(
      "historyRecordSet",
      page.items.map((event) => fleetEventXml(event, of.types[event.type])),
    ) +
      element("lastEvaluatedTime", instantText(now)) +
      (page.token === undefined ? "" : element("nextToken", page.token)) +
      element(of.element, fleet.id) +
      element("startTime", instantText(start)),
  );
}

export const describeFleetHistory = historyOperation({
  action: "DescribeFleetHistory",
  kind: "fleet",
  parameter: "FleetId",
  element: "fleetId",
  types: { fleet: "fleet-change", instance: "instance-change", error: "service-error" },
  silent: [],
  notFound: "fleetNotFound",
});

export const describeSpotFleetRequestHistory = historyOperation({
  action: "DescribeSpotFleetRequestHistory",
  kind: "spot-fleet",
  parameter: "SpotFleetRequestId",
  element: "spotFleetRequestId",
  types: { fleet: "fleetRequestChange", instance: "instanceChange", error: "error" },
  silent: ["information"],
  notFound: "spotFleetNotFound",
});
