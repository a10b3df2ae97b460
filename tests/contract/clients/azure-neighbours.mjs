// Stories of the clients that governance back ends use beside policy insights: definitions and assignments, Resource Graph,
// Cost Management, Event Grid. Knows nothing of Backlot but an address. Prints one JSON document.
import { CostManagementClient } from "@azure/arm-costmanagement";
import { EventGridManagementClient } from "@azure/arm-eventgrid";
import { PolicyClient } from "@azure/arm-policy";
import { PolicyInsightsClient } from "@azure/arm-policyinsights";
import { ResourceGraphClient } from "@azure/arm-resourcegraph";
import { ClientSecretCredential, ManagedIdentityCredential } from "@azure/identity";

const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_SUBSCRIPTION_ID, BACKLOT_AZURE_URL, HOOK } =
  process.env;
const credential =
  process.argv[3] === "identity"
    ? new ManagedIdentityCredential()
    : new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, {
        authorityHost: BACKLOT_AZURE_URL,
        disableInstanceDiscovery: true,
      });
const options = { endpoint: BACKLOT_AZURE_URL, retryOptions: { maxRetries: 0 } };
const scope = `/subscriptions/${AZURE_SUBSCRIPTION_ID}`;
const insights = new PolicyInsightsClient(credential, AZURE_SUBSCRIPTION_ID, options);
const policy = new PolicyClient(credential, AZURE_SUBSCRIPTION_ID, options);

async function all(pages) {
  const found = [];
  for await (const each of pages) found.push(each);
  return found;
}

async function failure(call) {
  try {
    await call();
    return "it was answered";
  } catch (cause) {
    return { statusCode: cause.statusCode, code: cause.code };
  }
}

const states = (filter) =>
  all(
    insights.policyStates.listQueryResultsForSubscription("latest", AZURE_SUBSCRIPTION_ID, {
      queryOptions: { filter },
    }),
  );

const stories = {
  async versions() {
    const { policyDefinitions, policyDefinitionVersions: versions, policySetDefinitions } = policy;
    const { policySetDefinitionVersions: setVersions } = policy;
    const group = AZURE_TENANT_ID;
    const rule = (type) => JSON.parse(`{"if":{"field":"type","equals":"${type}"},"then":{"effect":"audit"}}`);
    const of = (type) => ({ displayName: type, mode: "All", policyRule: rule(type) });
    const [redis, vault] = ["Microsoft.Cache/redis", "Microsoft.KeyVault/vaults"];
    const names = async (pages) => (await all(pages)).map(({ name }) => name);
    const failing = async () => [
      ...new Set(
        (await states("policyAssignmentName eq 'versioned' and isCompliant eq false")).map((each) => each.resourceType),
      ),
    ];
    const made = await policyDefinitions.createOrUpdate("versioned", { ...of(redis), version: "1.0.0" });
    await policy.policyAssignments.create(scope, "versioned", { policyDefinitionId: made.id });
    const first = await failing();
    const older = await versions.createOrUpdate("versioned", "0.9.0", of(vault));
    const same = await failing();
    const newer = await versions.createOrUpdate("versioned", "1.1.0", of(vault));
    const second = await failing();
    const known = await policyDefinitions.get("versioned");
    const read = await versions.get("versioned", "1.0.0");
    const listed = await names(versions.list("versioned"));
    await versions.delete("versioned", "1.1.0");
    const third = await failing();
    await versions.delete("versioned", "0.9.0");
    const only = await failure(() => versions.delete("versioned", "1.0.0"));
    const missing = await failure(() => versions.get("versioned", "7.0.0"));
    const wrong = await failure(() => versions.createOrUpdate("versioned", "newest", of(vault)));
    const nobody = await failure(() => versions.createOrUpdate("nobody", "1.0.0", of(vault)));
    await policyDefinitions.createOrUpdateAtManagementGroup(group, "versioned-above", of(redis));
    await versions.createOrUpdateAtManagementGroup(group, "versioned-above", "2.0.0", of(vault));
    const above = await names(versions.listByManagementGroup(group, "versioned-above"));
    const readAbove = await versions.getAtManagementGroup(group, "versioned-above", "2.0.0");
    const builtIns = await all(policyDefinitions.listBuiltIn());
    const builtIn = (await all(versions.listBuiltIn(builtIns[0].name)))[0];
    const readBuiltIn = await versions.getBuiltIn(builtIns[0].name, builtIn.name);
    const counts = [
      (await versions.listAllBuiltins()).value.length - builtIns.length,
      (await versions.listAll()).value.length - builtIns.length,
      (await versions.listAllAtManagementGroup(group)).value.length - builtIns.length,
    ];
    await versions.deleteAtManagementGroup(group, "versioned-above", "1.0.0");
    const leftAbove = await names(versions.listByManagementGroup(group, "versioned-above"));
    const set = (name) => ({ displayName: name, policyDefinitions: [{ policyDefinitionId: made.id }] });
    await policySetDefinitions.createOrUpdate("versioned-set", set("one"));
    await policySetDefinitions.createOrUpdateAtManagementGroup(group, "versioned-set-above", set("one"));
    await setVersions.createOrUpdate("versioned-set", "2.0.0", set("two"));
    await setVersions.createOrUpdateAtManagementGroup(group, "versioned-set-above", "2.0.0", set("two"));
    const builtInSets = await all(policySetDefinitions.listBuiltIn());
    const builtInSet = (await all(setVersions.listBuiltIn(builtInSets[0].name)))[0];
    const sets = {
      listed: await names(setVersions.list("versioned-set")),
      read: (await setVersions.get("versioned-set", "1.0.0")).displayName,
      above: await names(setVersions.listByManagementGroup(group, "versioned-set-above")),
      readAbove: (await setVersions.getAtManagementGroup(group, "versioned-set-above", "2.0.0")).displayName,
      builtIn: (await setVersions.getBuiltIn(builtInSets[0].name, builtInSet.name)).policyType,
      counts: [
        (await setVersions.listAllBuiltins()).value.length - builtInSets.length,
        (await setVersions.listAll()).value.length - builtInSets.length,
        (await setVersions.listAllAtManagementGroup(group)).value.length - builtInSets.length,
      ],
    };
    await setVersions.delete("versioned-set", "2.0.0");
    await setVersions.deleteAtManagementGroup(group, "versioned-set-above", "1.0.0");
    sets.newest = (await policySetDefinitions.get("versioned-set")).displayName;
    await policySetDefinitions.delete("versioned-set");
    await policySetDefinitions.deleteAtManagementGroup(group, "versioned-set-above");
    await policy.policyAssignments.delete(scope, "versioned");
    await policyDefinitions.delete("versioned");
    await policyDefinitions.deleteAtManagementGroup(group, "versioned-above");
    const left = (await versions.listAll()).value.length - builtIns.length;
    return {
      types: [first, same, second, third],
      made: [older.name, newer.type, newer.id.endsWith("/policyDefinitions/versioned/versions/1.1.0")],
      known: [known.version, known.versions],
      read: [read.displayName, read.policyRule.if.equals],
      listed,
      refused: [only, missing, wrong, nobody],
      above: [above, readAbove.displayName, leftAbove],
      builtIn: [builtIn.name === readBuiltIn.version, readBuiltIn.policyType],
      counts,
      sets,
      left,
    };
  },
  async policy() {
    const { policyDefinitions, policySetDefinitions, policyAssignments } = policy;
    const group = AZURE_TENANT_ID;
    const rule = JSON.parse('{"if":{"field":"type","equals":"Microsoft.Cache/redis"},"then":{"effect":"audit"}}');
    const definition = { displayName: "No caches", mode: "All", policyRule: rule };
    const made = await policyDefinitions.createOrUpdate("no-caches", definition);
    await policyDefinitions.createOrUpdateAtManagementGroup(group, "no-caches-anywhere", definition);
    const set = {
      displayName: "Set",
      policyDefinitions: [{ policyDefinitionId: made.id, policyDefinitionReferenceId: "caches" }],
    };
    const madeSet = await policySetDefinitions.createOrUpdate("own-set", set);
    await policySetDefinitions.createOrUpdateAtManagementGroup(group, "own-set-above", set);
    const assigned = await policyAssignments.create(scope, "no-caches", {
      policyDefinitionId: madeSet.id,
      displayName: "No caches here",
    });
    const again = [
      await policyDefinitions.createOrUpdate("no-caches", { ...definition, description: "At all" }),
      await policyDefinitions.createOrUpdateAtManagementGroup(group, "no-caches-anywhere", {
        ...definition,
        description: "At all",
      }),
      await policySetDefinitions.createOrUpdate("own-set", { ...set, description: "At all" }),
      await policyAssignments.create(scope, "no-caches", { ...assigned, description: "At all" }),
    ].map(({ description }) => description);
    const failing = await states("policyAssignmentName eq 'no-caches' and isCompliant eq false");
    const selectors = [{ name: "west", selectors: [{ kind: "resourceLocation", in: ["westeurope"] }] }];
    const updated = await policyAssignments.update(scope, "no-caches", { resourceSelectors: selectors });
    const redis = failing[0].resourceId.split("/");
    const lists = {
      definitions: (await all(policyDefinitions.list())).length,
      builtIn: (await all(policyDefinitions.listBuiltIn({ filter: "policyType eq 'BuiltIn'" }))).length,
      above: (await all(policyDefinitions.listByManagementGroup(group))).length,
      sets: (await all(policySetDefinitions.list())).length,
      builtInSets: (await all(policySetDefinitions.listBuiltIn())).length,
      setsAbove: (await all(policySetDefinitions.listByManagementGroup(group))).length,
      assignments: (await all(policyAssignments.list())).map((each) => each.name),
      ofGroup: (await all(policyAssignments.listForResourceGroup("rg-payments-prod-01"))).map((each) => each.name),
      ofManagementGroup: (await all(policyAssignments.listForManagementGroup(group))).map((each) => each.name),
      ofResource: (
        await all(policyAssignments.listForResource(redis[4], "Microsoft.Cache", "", "redis", redis[8]))
      ).map((each) => each.name),
    };
    const reads = [
      (await policyDefinitions.get("no-caches")).policyType,
      (await policyDefinitions.getAtManagementGroup(group, "no-caches-anywhere")).mode,
      (await policyDefinitions.getBuiltIn("404c3081-a854-4457-ae30-26a93ef643f9")).displayName,
      (await policySetDefinitions.get("own-set")).policyDefinitions.length,
      (await policySetDefinitions.getAtManagementGroup(group, "own-set-above")).displayName,
      (await policySetDefinitions.getBuiltIn("1f3afdf9-d0c9-4c3d-847f-89da613e70a8")).policyType,
      (await policyAssignments.get(scope, "no-caches")).displayName,
    ];
    const missing = await failure(() => policyDefinitions.get("nothing"));
    await policyAssignments.delete(scope, "no-caches");
    await policySetDefinitions.delete("own-set");
    await policySetDefinitions.deleteAtManagementGroup(group, "own-set-above");
    await policyDefinitions.delete("no-caches");
    await policyDefinitions.deleteAtManagementGroup(group, "no-caches-anywhere");
    const left = await states("policyAssignmentName eq 'no-caches'");
    return {
      assigned: assigned.scope,
      again,
      selectors: updated.resourceSelectors?.length,
      failing: failing.map((each) => each.resourceType),
      lists,
      reads,
      missing,
      left: left.length,
    };
  },
  async graph() {
    const client = new ResourceGraphClient(credential, options);
    const query = `policyresources | where type =~ 'microsoft.policyinsights/policystates'
      | summarize n = count() by state = tostring(properties.complianceState) | order by n desc`;
    const answer = await client.resources({ query, subscriptions: [AZURE_SUBSCRIPTION_ID] });
    const page = await client.resources({ query: "resources | project id", options: { top: 10 } });
    const broken = await failure(() => client.resources({ query: "resources | nonsense" }));
    const operations = await all(client.operations.list());
    return {
      answer,
      page: [page.count, page.resultTruncated, typeof page.skipToken],
      broken,
      states: (await states()).length,
      operations: operations.length,
    };
  },
  async costs() {
    const client = new CostManagementClient(credential, options);
    const aggregation = { totalCost: { name: "PreTaxCost", function: "Sum" } };
    const grouping = [{ type: "Dimension", name: "ServiceName" }];
    const query = {
      type: "ActualCost",
      timeframe: "MonthToDate",
      dataset: { granularity: "Daily", aggregation, grouping },
    };
    const { columns, rows } = await client.query.usage(scope, query);
    const month = await client.forecast.usage(scope, {
      type: "ActualCost",
      timeframe: "Custom",
      timePeriod: { from: new Date("2025-01-01"), to: new Date("2025-01-31") },
      dataset: { granularity: "Daily", aggregation },
    });
    const dimensions = await all(client.dimensions.list(scope));
    const broken = await failure(() => client.query.usage(scope, { ...query, timeframe: "Never" }));
    return { columns, rows: rows.length, forecast: month.rows.length, dimensions: dimensions.length, broken };
  },
  async events() {
    const client = new EventGridManagementClient(credential, AZURE_SUBSCRIPTION_ID, options);
    const destination = { endpointType: "WebHook", endpointUrl: HOOK };
    const made = await client.eventSubscriptions.beginCreateOrUpdateAndWait(
      scope,
      "policy",
      { destination },
      { updateIntervalInMs: 50 },
    );
    const source = { source: scope, topicType: "Microsoft.PolicyInsights.PolicyStates", location: "global" };
    const group = "rg-web-prod-01";
    const topic = await client.systemTopics.beginCreateOrUpdateAndWait(group, "topic", source, {
      updateIntervalInMs: 50,
    });
    const cloud = { destination, eventDeliverySchema: "CloudEventSchemaV1_0" };
    const own = client.systemTopicEventSubscriptions;
    const ofTopic = await own.beginCreateOrUpdateAndWait(group, "topic", "cloud", cloud, { updateIntervalInMs: 50 });
    const labelled = await client.eventSubscriptions.beginUpdateAndWait(
      scope,
      "policy",
      { labels: ["a"] },
      { updateIntervalInMs: 50 },
    );
    const url = await client.eventSubscriptions.getFullUrl(scope, "policy");
    const lists = [
      (await all(client.eventSubscriptions.listGlobalBySubscription())).length,
      (await all(own.listBySystemTopic(group, "topic"))).length,
      (await all(client.systemTopics.listByResourceGroup(group))).length,
      (await all(client.systemTopics.listBySubscription())).length,
    ];
    await own.beginDeleteAndWait(group, "topic", "cloud");
    await client.systemTopics.beginDeleteAndWait(group, "topic");
    await client.eventSubscriptions.beginDeleteAndWait(scope, "policy");
    const gone = await failure(() => client.eventSubscriptions.get(scope, "policy"));
    return {
      states: [made.provisioningState, topic.provisioningState, ofTopic.provisioningState],
      labels: labelled.labels,
      url: url.endpointUrl,
      lists,
      gone,
    };
  },
};

console.log(JSON.stringify(await stories[process.argv[2]]()));
