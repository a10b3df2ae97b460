/** Every operation of an emulator's control API, once: openapi.json is made from it, and a test holds it to the routes. */
import * as z from "zod";
import { FeedQuery } from "./control-feed.ts";
import { AdvanceInput, ClockInput, ModeInput, TimersQuery } from "./control-forms.ts";
import { HoldInput, harType, JournalQuery } from "./control-journal.ts";
import { EndpointProbe, UrlProbe } from "./control-probe.ts";
import { SnapshotInput } from "./control-snapshots.ts";
import { DeliveryQuery, DiscardInput, EndpointChange, Selection } from "./control-webhooks.ts";
import { EndpointInput } from "./endpoint-input.ts";
import { FaultInput } from "./fault-input.ts";
import { LimitsInput } from "./limits-input.ts";
import { metricsType } from "./metrics.ts";
import type { Operation } from "./openapi.ts";

const seedTypes = "application/yaml";

/** What an emulator and the suite have in common. */
export const commonOperations: readonly Operation[] = [
  { method: "get", path: "/health", summary: "Health; the same as /_backlot/health" },
  { method: "get", path: "/api/v1/health", summary: "Health; the same as /_backlot/health" },
  { method: "get", path: "/_backlot/health", summary: "Checks with latency and history, hints, mode" },
  { method: "get", path: "/_backlot/live", summary: "Whether the process answers" },
  { method: "get", path: "/_backlot/ready", summary: "Whether it serves" },
  { method: "get", path: "/_backlot/providers", summary: "What stands in for each service, and the features" },
  { method: "get", path: "/api/v1/status/providers", summary: "The same as /_backlot/providers" },
  { method: "get", path: "/_backlot/mode", summary: "mock or real" },
  { method: "put", path: "/_backlot/mode", summary: "Raises real mode, or lowers what a test raised", body: ModeInput },
  { method: "get", path: "/_backlot/clock", summary: "Virtual time" },
  { method: "post", path: "/_backlot/clock", summary: "Sets mode and time of the clock", body: ClockInput },
  {
    method: "post",
    path: "/_backlot/clock/advance",
    summary: "Moves time forward, fires everything due in order, and answers when it has settled",
    body: AdvanceInput,
  },
  { method: "post", path: "/_backlot/reset", summary: "Goes back to the state after the start" },
  { method: "get", path: "/_backlot/digest", summary: "Hash of everything a client can see" },
  { method: "get", path: "/_backlot/env", summary: "Variables that point a client here" },
  { method: "get", path: "/_backlot/egress", summary: "Calls out of the machine that were refused" },
  { method: "get", path: "/_backlot/capabilities", summary: "What is emulated, in full, in part or not" },
  { method: "get", path: "/_backlot/metrics", summary: "Prometheus metrics", gives: metricsType },
  {
    method: "get",
    path: "/_backlot/ca.pem",
    summary: "Certificate of the local authority",
    gives: "application/x-pem-file",
  },
  { method: "get", path: "/_backlot/openapi.json", summary: "This description" },
  {
    method: "post",
    path: "/_backlot/events/token",
    summary: "A token, good for a minute, for viewers that cannot send a header",
  },
  {
    method: "get",
    path: "/_backlot/events",
    summary: "The live journal as server-sent events, or over WebSocket; resumed by Last-Event-ID or since",
    query: FeedQuery,
    gives: "text/event-stream",
  },
  { method: "get", path: "/_backlot/webhooks/endpoints", summary: "Registered receivers" },
  {
    method: "post",
    path: "/_backlot/webhooks/endpoints",
    summary: "Registers a receiver",
    body: EndpointInput,
    status: 201,
  },
  { method: "get", path: "/_backlot/webhooks/deliveries", summary: "Deliveries, newest first", query: DeliveryQuery },
  {
    method: "get",
    path: "/_backlot/dead-letters",
    summary: "Deliveries that were given up, with their attempts",
    query: DeliveryQuery.pick({ limit: true, before: true }),
  },
  { method: "get", path: "/_backlot/webhooks/endpoints/{id}", summary: "One receiver" },
  {
    method: "patch",
    path: "/_backlot/webhooks/endpoints/{id}",
    summary: "Enables, disables or filters a receiver, or changes its secret",
    body: EndpointChange,
  },
  {
    method: "delete",
    path: "/_backlot/webhooks/endpoints/{id}",
    summary: "Removes a receiver",
    status: 204,
    gives: null,
  },
  { method: "get", path: "/_backlot/webhooks/deliveries/{id}", summary: "One delivery with its attempts" },
  {
    method: "get",
    path: "/_backlot/webhooks/deliveries/{id}/signatures",
    summary: "Its signatures checked step by step, attempt by attempt",
  },
  {
    method: "get",
    path: "/_backlot/dead-letters/export",
    summary: "All dead letters as JSON lines",
    gives: "application/x-ndjson",
  },
  {
    method: "post",
    path: "/_backlot/dead-letters/replay",
    summary: "Sends dead letters again",
    body: Selection,
    status: 202,
  },
  { method: "post", path: "/_backlot/dead-letters/discard", summary: "Discards dead letters", body: DiscardInput },
  {
    method: "post",
    path: "/_backlot/webhooks/endpoints/{id}/probe",
    summary: "Sends the rejection matrix to a registered receiver",
    body: EndpointProbe,
  },
  { method: "get", path: "/_backlot/faults", summary: "Planned faults" },
  {
    method: "post",
    path: "/_backlot/faults",
    summary: "Plans a fault, or several",
    body: z.union([FaultInput, z.array(FaultInput).min(1)]),
    status: 201,
  },
  { method: "delete", path: "/_backlot/faults", summary: "Removes every planned fault" },
  { method: "delete", path: "/_backlot/faults/state", summary: "Forgets how often faults matched and fired" },
  { method: "delete", path: "/_backlot/faults/{id}", summary: "Removes one", status: 204, gives: null },
  { method: "get", path: "/_backlot/limits", summary: "Rate limits" },
  { method: "delete", path: "/_backlot/limits", summary: "Back to the rate limit of the settings" },
  { method: "get", path: "/_backlot/snapshots", summary: "Snapshots" },
  {
    method: "post",
    path: "/_backlot/snapshots",
    summary: "Saves everything that a reset covers under a name",
    body: SnapshotInput,
    status: 201,
  },
  { method: "post", path: "/_backlot/snapshots/{name}/restore", summary: "Goes back to a snapshot" },
  {
    method: "delete",
    path: "/_backlot/snapshots/{name}",
    summary: "Deletes a snapshot",
    status: 204,
    gives: null,
  },
];

export const emulatorOperations: readonly Operation[] = [
  ...commonOperations,
  { method: "get", path: "/_backlot/faults/{id}", summary: "One planned fault" },
  { method: "get", path: "/_backlot/timers", summary: "What waits on the virtual clock", query: TimersQuery },
  {
    method: "post",
    path: "/_backlot/seed",
    summary: "Starts anew from a seed",
    body: z.string(),
    takes: seedTypes,
  },
  { method: "get", path: "/_backlot/journal", summary: "What happened, in order", query: JournalQuery },
  {
    method: "get",
    path: "/_backlot/journal.har",
    summary: "The requests of the journal as an HTTP archive 1.2",
    query: JournalQuery,
    gives: harType,
  },
  {
    method: "post",
    path: "/_backlot/journal/holds",
    summary: "Keeps entries of some kinds, however many they become, until the hold is deleted",
    body: HoldInput,
    status: 201,
  },
  { method: "delete", path: "/_backlot/journal/holds/{id}", summary: "Lets the journal forget again", status: 204 },
  {
    method: "post",
    path: "/_backlot/webhooks/probe",
    summary: "Sends the rejection matrix to a receiver",
    body: UrlProbe,
  },
  { method: "put", path: "/_backlot/limits", summary: "Sets rate limits", body: LimitsInput },
];
