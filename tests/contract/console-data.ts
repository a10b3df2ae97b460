/** The official SDKs, pointed at a suite: what the console's tests make their data with. */
import {
  CreateTagsCommand,
  DescribeImagesCommand,
  DescribeSpotInstanceRequestsCommand,
  DescribeSpotPriceHistoryCommand,
  EC2Client,
  RequestSpotInstancesCommand,
  type Tag,
} from "@aws-sdk/client-ec2";
import { PolicyInsightsClient } from "@azure/arm-policyinsights";
import { ClientSecretCredential } from "@azure/identity";
import twilio from "twilio";
import { awsClientConfig, azureClientOptions, twilioHttpClient } from "../../emulators/suite/clients.ts";
import type { Suite } from "../../emulators/suite/suite.ts";

type Sdks = Pick<Suite, "env" | "certificates">;

export function twilioOf({ env }: Sdks): ReturnType<typeof twilio> {
  const httpClient = twilioHttpClient(twilio.RequestClient, env);
  return twilio(env.TWILIO_ACCOUNT_SID ?? "", env.TWILIO_AUTH_TOKEN ?? "", { httpClient });
}

export function policyOf({ env, certificates }: Sdks): PolicyInsightsClient {
  const options = azureClientOptions(env, certificates().caPem);
  const { AZURE_TENANT_ID = "", AZURE_CLIENT_ID = "", AZURE_CLIENT_SECRET = "", AZURE_SUBSCRIPTION_ID = "" } = env;
  const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, options);
  return new PolicyInsightsClient(credential, AZURE_SUBSCRIPTION_ID, options);
}

export function ec2Of({ env }: Sdks): EC2Client {
  return new EC2Client({ ...awsClientConfig(env), maxAttempts: 1 });
}

/** Asks for spot instances and names what comes; answers the ids of the requests. */
export async function requestSpot(ec2: EC2Client, count: number, tags: readonly Tag[] = []): Promise<string[]> {
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  const { SpotInstanceRequests = [] } = await ec2.send(
    new RequestSpotInstancesCommand({
      InstanceCount: count,
      LaunchSpecification: { ImageId: Images[0]?.ImageId, InstanceType: "m5.large" },
      TagSpecifications: [{ ResourceType: "spot-instances-request", Tags: [...tags] }],
    }),
  );
  return SpotInstanceRequests.map((request) => request.SpotInstanceRequestId ?? "");
}

export async function tag(ec2: EC2Client, id: string, tags: readonly Tag[]): Promise<void> {
  await ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [...tags] }));
}

/** What the market asks now, by zone. */
export async function spotPrices(ec2: EC2Client, type: string): Promise<Record<string, number>> {
  const { SpotPriceHistory = [] } = await ec2.send(
    new DescribeSpotPriceHistoryCommand({
      InstanceTypes: [type as "m5.large"],
      ProductDescriptions: ["Linux/UNIX"],
      StartTime: new Date(Date.now() + 60_000),
    }),
  );
  return Object.fromEntries(SpotPriceHistory.map((one) => [one.AvailabilityZone, Number(one.SpotPrice)]));
}

export async function statusOf(ec2: EC2Client, request: string) {
  const { SpotInstanceRequests = [] } = await ec2.send(
    new DescribeSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [request] }),
  );
  return { code: SpotInstanceRequests[0]?.Status?.Code, instance: SpotInstanceRequests[0]?.InstanceId };
}

/** The worst states that Azure's own client reads, by assignment and resource. */
export async function nonCompliant(policy: PolicyInsightsClient, subscription: string, filter: string) {
  const states = policy.policyStates.listQueryResultsForSubscription("latest", subscription, {
    queryOptions: { filter: `complianceState eq 'NonCompliant' and ${filter}`, top: 5 },
  });
  const found: { resource: string; assignment: string; definition: string; reference: string }[] = [];
  for await (const state of states) {
    found.push({
      resource: state.resourceId ?? "",
      assignment: state.policyAssignmentId ?? "",
      definition: state.policyDefinitionId ?? "",
      reference: state.policyDefinitionReferenceId ?? "",
    });
    if (found.length === 5) break;
  }
  return found;
}

export async function summaryOf(policy: PolicyInsightsClient, subscription: string) {
  const { value = [] } = await policy.policyStates.summarizeForSubscription("latest", subscription);
  return { resources: value[0]?.results?.nonCompliantResources ?? -1, assignments: value[0]?.policyAssignments ?? [] };
}
