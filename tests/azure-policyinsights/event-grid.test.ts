import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { type Anything, type ArmClient, startArm } from "./arm-client.ts";

const minute = 60_000;
let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());
beforeEach(async () => {
  await arm.emulator.reset();
});

interface GridEvent {
  readonly id: string;
  readonly topic: string;
  readonly source: string;
  readonly subject: string;
  readonly eventType: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

/** Consents to what it is asked, in either schema. */
async function receiver(): Promise<Receiver & { events(): readonly GridEvent[]; notices(): readonly Received[] }> {
  const started = await startReceiver();
  onTestFinished(() => started.close());
  started.answer = (call, _n, response) => consent(call, response);
  const notices = () => started.calls.filter((call) => call.headers["aeg-event-type"] === "Notification");
  return Object.assign(started, {
    notices,
    events: () => notices().flatMap((call) => JSON.parse(call.body) as GridEvent | GridEvent[]),
  });
}

const consent: (call: Received, response: Parameters<Receiver["answer"]>[2]) => void = (call, response) => {
  if (call.method === "OPTIONS")
    return void response.writeHead(200, { "webhook-allowed-origin": "eventgrid.azure.net" }).end();
  if (call.headers["aeg-event-type"] !== "SubscriptionValidation") return void response.writeHead(200).end();
  const [event] = JSON.parse(call.body) as [{ data: { validationCode: string } }];
  response.writeHead(200).end(JSON.stringify({ validationResponse: event.data.validationCode }));
};

const path = (name: string, scope = arm.subscription) =>
  `${scope}/providers/Microsoft.EventGrid/eventSubscriptions/${name}?api-version=2022-06-15`;

const reference = "securetransfertostorageaccountmonitoring";
const ofBenchmark = { operatorType: "StringIn", key: "data.policyDefinitionReferenceId", values: [reference] };

/** To the benchmark's states alone: other initiatives look at the same members. */
async function subscribe(name: string, url: string, properties: object = {}, scope = arm.subscription) {
  const destination = { endpointType: "WebHook", properties: { endpointUrl: url } };
  const filter = { advancedFilters: [ofBenchmark] };
  const made = await arm.call("PUT", path(name, scope), { properties: { destination, filter, ...properties } });
  expect(made.status).toBe(201);
  await arm.emulator.runtime.outbox.idle();
  return (await arm.call("GET", path(name, scope))).body;
}

const filter =
  "&$filter=complianceState eq 'NonCompliant' and policyDefinitionReferenceId eq 'securetransfertostorageaccountmonitoring'&$top=1";

async function failing(): Promise<string> {
  return (await arm.all(arm.subscription, filter))[0]?.resourceId ?? expect.fail("no storage account fails");
}

async function putRight(id: string): Promise<void> {
  expect((await arm.call("PATCH", id, { properties: { supportsHttpsTrafficOnly: true } })).status).toBe(200);
  await arm.emulator.runtime.outbox.idle();
}

describe("handshake", () => {
  test("a code that is echoed", async () => {
    const hook = await receiver();
    const made = await subscribe("echo", `${hook.url}?code=secret`);
    expect(made.properties.provisioningState).toBe("Succeeded");
    expect(made).toMatchObject({
      properties: { topic: arm.subscription, destination: { properties: { endpointBaseUrl: hook.url } } },
    });
    expect(JSON.stringify(made)).not.toContain("secret");
    const full = await arm.call<{ endpointUrl: string }>("POST", path("echo").replace("?", "/getFullUrl?"));
    expect(full.body.endpointUrl).toBe(`${hook.url}?code=secret`);
    expect(hook.calls[0]?.headers).toMatchObject({
      "aeg-event-type": "SubscriptionValidation",
      "aeg-subscription-name": "ECHO",
    });
  });

  test.each([
    ["200 without the code", 200, "AwaitingManualAction"],
    ["202, which does not count", 202, "Failed"],
    ["500", 500, "Failed"],
  ])("%s", async (_, status, state) => {
    const hook = await receiver();
    hook.answer = (_call, _n, response) => void response.writeHead(status).end("{}");
    expect((await subscribe("manual", hook.url)).properties.provisioningState).toBe(state);
    expect(hook.calls).toHaveLength(1);
    await putRight(await failing());
    expect(hook.notices()).toEqual([]);
  });

  test("the address that is followed within ten minutes, and one that is not", async () => {
    const hook = await receiver();
    hook.answer = (_call, _n, response) => void response.writeHead(200).end();
    await subscribe("followed", hook.url);
    await subscribe("forgotten", hook.url);
    const [[followed], [forgotten]] = hook.calls.map((call) => JSON.parse(call.body)) as [GridEvent[], GridEvent[]];
    await arm.emulator.advance(arm.emulator.runtime.clock.now() + 9 * minute);
    expect((await arm.call("GET", followed?.data.validationUrl ?? "")).status).toBe(200);
    await arm.emulator.advance(arm.emulator.runtime.clock.now() + 2 * minute);
    expect((await arm.call("GET", path("followed"))).body.properties.provisioningState).toBe("Succeeded");
    expect((await arm.call("GET", path("forgotten"))).body.properties.provisioningState).toBe("Failed");
    expect((await arm.call("GET", forgotten?.data.validationUrl ?? "")).status).toBe(400);
  });

  test("CloudEvents: the receiver names who may send", async () => {
    const hook = await receiver();
    const cloud = { eventDeliverySchema: "CloudEventSchemaV1_0" };
    expect((await subscribe("cloud", hook.url, cloud)).properties.provisioningState).toBe("Succeeded");
    expect(hook.calls[0]).toMatchObject({
      method: "OPTIONS",
      headers: { "webhook-request-origin": "eventgrid.azure.net" },
    });
    hook.answer = (_call, _n, response) =>
      void response.writeHead(200, { "webhook-allowed-origin": "other.example" }).end();
    expect((await subscribe("later", hook.url, cloud)).properties.provisioningState).toBe("AwaitingManualAction");
    const called = String(hook.calls[1]?.headers["webhook-request-callback"]);
    expect((await arm.call("GET", called)).status).toBe(200);
    expect((await arm.call("GET", path("later"))).body.properties.provisioningState).toBe("Succeeded");
  });
});

describe("events", () => {
  test("Changed, Created and Deleted, signed, in Event Grid's schema", async () => {
    const hook = await receiver();
    await subscribe("all", hook.url, { filter: {} });
    const id = await failing();
    await putRight(id);
    const at = hook.events().findIndex((each) => each.data.policyDefinitionReferenceId === reference);
    const [event, notice] = [hook.events()[at], hook.notices()[at]];
    expect(hook.notices().length).toBeGreaterThan(1);
    expect(event).toMatchObject({
      id: expect.stringMatching(/^[0-9A-F]{64}$/),
      topic: arm.subscription,
      subject: id,
      eventType: "Microsoft.PolicyInsights.PolicyStateChanged",
      eventTime: "2025-01-15T12:00:00.000Z",
      dataVersion: "1",
      metadataVersion: "1",
      data: {
        complianceState: "Compliant",
        policyDefinitionReferenceId: "securetransfertostorageaccountmonitoring",
        complianceReasonCode: "",
      },
    });
    expect(notice?.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "aeg-subscription-name": "ALL",
      "aeg-delivery-count": "0",
      "aeg-data-version": "1",
      "aeg-metadata-version": "1",
      "aeg-output-event-id": event?.id,
    });
    const control = await arm.call<{ eventSubscriptions: { secret: string }[] }>(
      "GET",
      "/_backlot/azure-policyinsights/event-subscriptions",
    );
    const secret = control.body.eventSubscriptions[0]?.secret ?? "";
    expect(() =>
      new Webhook(secret).verify(notice?.body ?? "", notice?.headers as Record<string, string>),
    ).not.toThrow();

    const vault = `${arm.subscription}/resourceGroups/rg-web-prod-01/providers/Microsoft.KeyVault/vaults/kv-mine`;
    await arm.call("PUT", vault, { location: "westeurope" });
    const states = await arm.all(vault);
    await arm.call("DELETE", vault);
    await arm.emulator.runtime.outbox.idle();
    const about = (type: string) =>
      hook.events().filter((each) => each.eventType.endsWith(type) && each.subject === vault.toLowerCase());
    expect(
      about("Created")
        .map((each) => each.data.policyAssignmentId)
        .toSorted(),
    ).toEqual(states.map((state) => state.policyAssignmentId).toSorted());
    expect(about("Deleted")).toHaveLength(states.length);
    expect(new Set(hook.events().map((each) => each.id)).size).toBe(hook.events().length);
  });

  test("what is no longer assigned is Deleted", async () => {
    const hook = await receiver();
    await subscribe("deleted", hook.url, {
      filter: { includedEventTypes: ["Microsoft.PolicyInsights.PolicyStateDeleted"] },
      destination: {
        endpointType: "WebHook",
        properties: { endpointUrl: hook.url, maxEventsPerBatch: 5000, preferredBatchSizeInKilobytes: 1024 },
      },
    });
    const assignment = `${arm.subscription}/providers/Microsoft.Authorization/policyAssignments/deploy-keyvault-diagnostics`;
    const rows = await arm.all(assignment);
    expect((await arm.call("DELETE", assignment)).status).toBe(200);
    await arm.emulator.runtime.outbox.idle();
    expect(hook.notices()).toHaveLength(1);
    expect(
      hook
        .events()
        .map((each) => [each.subject, each.data.complianceState])
        .toSorted(),
    ).toEqual(rows.map((row) => [row.resourceId, row.complianceState]).toSorted());
  });

  test("CloudEvents at a management group, filtered, with headers of the subscription's own", async () => {
    const hook = await receiver();
    const { tenantId } = arm.emulator.runtime.state.tenant();
    const root = `/providers/Microsoft.Management/managementGroups/${tenantId}`;
    const mappings = [
      { name: "X-Team", type: "Static", properties: { value: "governance", isSecret: false } },
      { name: "X-State", type: "Dynamic", properties: { sourceField: "data.complianceState" } },
    ];
    const properties = (state: string) => ({
      eventDeliverySchema: "CloudEventSchemaV1_0",
      filter: {
        advancedFilters: [{ operatorType: "StringIn", key: "data.complianceState", values: [state] }, ofBenchmark],
      },
      destination: {
        endpointType: "WebHook",
        properties: { endpointUrl: hook.url, deliveryAttributeMappings: mappings },
      },
    });
    await subscribe("good", hook.url, properties("compliant"), root);
    await subscribe("bad", hook.url, properties("noncompliant"), root);
    await putRight(await failing());
    expect(hook.notices()).toHaveLength(1);
    const [notice] = hook.notices();
    expect(JSON.parse(notice?.body ?? "")).toMatchObject({
      specversion: "1.0",
      source: `/tenants/${tenantId}${root}`,
      type: "Microsoft.PolicyInsights.PolicyStateChanged",
      time: "2025-01-15T12:00:00.000Z",
    });
    expect(notice?.headers).toMatchObject({
      "content-type": "application/cloudevents+json; charset=utf-8",
      "aeg-subscription-name": "GOOD",
      "x-team": "governance",
      "x-state": "Compliant",
    });
    expect(notice?.headers).not.toHaveProperty("aeg-data-version");
  });

  test("a system topic's subscriptions; a deleted one says goodbye", async () => {
    const hook = await receiver();
    const topic = `${arm.subscription}/resourceGroups/rg-web-prod-01/providers/Microsoft.EventGrid/systemTopics/policy`;
    const source = { source: arm.subscription, topicType: "Microsoft.PolicyInsights.PolicyStates" };
    const wrong = { properties: { ...source, topicType: "Microsoft.Storage.StorageAccounts" } };
    expect((await arm.call("PUT", topic, { location: "global", ...wrong })).body.error.code).toBe("InvalidRequest");
    expect((await arm.call("PUT", topic, { location: "global", properties: source })).status).toBe(201);
    const made = `${topic}/eventSubscriptions/one`;
    const destination = { endpointType: "WebHook", properties: { endpointUrl: hook.url } };
    await arm.call("PUT", made, { properties: { destination, filter: { advancedFilters: [ofBenchmark] } } });
    await arm.emulator.runtime.outbox.idle();
    await putRight(await failing());
    expect(hook.notices()).toHaveLength(1);
    expect((await arm.call("GET", `${topic}/eventSubscriptions`)).body.value).toHaveLength(1);
    expect((await arm.call("DELETE", topic)).status).toBe(200);
    await arm.emulator.runtime.outbox.idle();
    expect(hook.calls.at(-1)?.headers["aeg-event-type"]).toBe("SubscriptionDeletion");
    expect((await arm.call("GET", made)).status).toBe(404);
  });
});

describe("delivery", () => {
  const deadLetters = async () =>
    (
      await arm.call<{ deadLetters: { blob: string; events: Anything[] }[] }>(
        "GET",
        "/_backlot/azure-policyinsights/dead-letters",
      )
    ).body.deadLetters;
  const container = { endpointType: "StorageBlob", properties: { resourceId: "/x", blobContainerName: "letters" } };

  test("the retry table on the clock, until the tries run out; then a dead letter five minutes later", async () => {
    const hook = await receiver();
    await subscribe("dead", hook.url, { retryPolicy: { maxDeliveryAttempts: 8 }, deadLetterDestination: container });
    hook.answer = (_call, _n, response) => void response.writeHead(500).end();
    const { clock } = arm.emulator.runtime;
    await putRight(await failing());
    const start = clock.now();
    const [delivery] = arm.emulator.runtime.outbox.list({ limit: 1 });
    // The waits are 6,400 s and a spread of at most a tenth, by the delivery's id and so by the receiver's port.
    await arm.emulator.advance(start + 7_040_000 + 5 * minute);
    const tries = arm.emulator.runtime.outbox.history(delivery?.id ?? "").map(({ at }) => at - start);
    const waits = tries.slice(1).map((at, index) => (at - (tries[index] ?? 0)) / 1000);
    for (const [index, wait] of [10, 30, 60, 300, 600, 1800, 3600].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(wait);
      expect(waits[index]).toBeLessThanOrEqual(wait * 1.1);
    }
    expect(hook.notices().map((call) => call.headers["aeg-delivery-count"])).toEqual([
      "0",
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
      "7",
    ]);
    expect(new Set(hook.notices().map((call) => call.body)).size).toBe(1);
    const [letter] = await deadLetters();
    const buried = new Date(start + (tries.at(-1) ?? 0) + 5 * minute);
    expect(letter?.blob).toMatch(new RegExp(`^letters/DEAD/2025/1/15/${buried.getUTCHours()}/[0-9a-f-]{36}\\.json$`));
    expect(letter?.events[0]).toMatchObject({
      eventType: "Microsoft.PolicyInsights.PolicyStateChanged",
      deadLetterReason: "MaxDeliveryAttemptsExceeded",
      deliveryAttempts: 8,
      lastDeliveryOutcome: "GenericError",
      publishTime: "2025-01-15T12:00:00.000Z",
    });
    const lines = await arm.emulator.fetch(
      new Request("http://127.0.0.1:4112/_backlot/azure-policyinsights/dead-letters.jsonl"),
    );
    expect((await lines.text()).trimEnd().split("\n")).toHaveLength(1);
  });

  test.each([
    ["a body that is refused is dead at once", 400, {}, "UndeliverableDueToClientError", 1],
    ["201 to 204 are success, 205 is not", 205, { maxDeliveryAttempts: 1 }, "MaxDeliveryAttemptsExceeded", 1],
    ["a life of a minute", 503, { eventTimeToLiveInMinutes: 1 }, "TimeToLiveExceeded", 2],
  ])("%s", async (_, status, retryPolicy, deadLetterReason, deliveryAttempts) => {
    const hook = await receiver();
    await subscribe("dead", hook.url, { retryPolicy, deadLetterDestination: container });
    hook.answer = (_call, _n, response) => void response.writeHead(status).end();
    await putRight(await failing());
    await arm.emulator.advance(arm.emulator.runtime.clock.now() + 4 * minute);
    expect(await deadLetters()).toEqual([]);
    await arm.emulator.advance(arm.emulator.runtime.clock.now() + 3 * minute);
    expect((await deadLetters())[0]?.events[0]).toMatchObject({ deadLetterReason, deliveryAttempts });
  });

  test("signatures can be switched off; a wrong destination is refused", async () => {
    const { state, store } = arm.emulator.runtime;
    const hook = await receiver();
    const estate = { seed: "other", groupsPerSubscription: 3, resourcesPerGroup: 30, strict: true };
    store.write(() => state.setEstate({ ...estate, signsEvents: false }));
    const destination = (endpointType: string, endpointUrl: string) => ({ endpointType, properties: { endpointUrl } });
    for (const wrong of [
      destination("EventHub", hook.url),
      destination("WebHook", "nowhere"),
      destination("WebHook", hook.url),
    ])
      expect((await arm.call("PUT", path("wrong"), { properties: { destination: wrong } })).body.error.code).toBe(
        "InvalidRequest",
      );
    store.write(() => state.setEstate({ ...estate, strict: false, signsEvents: false }));
    await subscribe("plain", hook.url);
    await putRight(await failing());
    expect(hook.notices()[0]?.headers).not.toHaveProperty("webhook-signature");
  });
});
