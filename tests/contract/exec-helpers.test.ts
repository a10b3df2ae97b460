/** `backlot/clients` with the official SDKs, in the process of the suite. */

import { DescribeRegionsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { PolicyInsightsClient } from "@azure/arm-policyinsights";
import { ClientSecretCredential } from "@azure/identity";
import nodemailer from "nodemailer";
import twilio from "twilio";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  awsClientConfig,
  azureClientOptions,
  mailTransportOptions,
  twilioHttpClient,
} from "../../emulators/suite/clients.ts";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";

let suite: Suite;
beforeAll(async () => {
  suite = await createSuite({ environment: { BACKLOT_LOG_LEVEL: "silent" } });
});
afterAll(() => suite.close());

test("twilio", async () => {
  const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER = "" } = suite.env;
  const client = twilio(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, {
    httpClient: twilioHttpClient(twilio.RequestClient, suite.env),
  });
  const message = await client.messages.create({ from: TWILIO_PHONE_NUMBER, to: "+12025550199", body: "by hand" });
  expect(await client.messages.list({ pageSize: 1, limit: 2 })).toContainEqual(
    expect.objectContaining({ sid: message.sid }),
  );
});

test("AWS", async () => {
  const { Regions } = await new EC2Client(awsClientConfig(suite.env)).send(new DescribeRegionsCommand({}));
  expect(Regions?.length).toBeGreaterThan(5);
  expect(await new STSClient(awsClientConfig(suite.env)).send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: expect.any(String),
  });
});

test("Azure", async () => {
  const {
    AZURE_TENANT_ID = "",
    AZURE_CLIENT_ID = "",
    AZURE_CLIENT_SECRET = "",
    AZURE_SUBSCRIPTION_ID = "",
  } = suite.env;
  const options = azureClientOptions(suite.env, suite.certificates().caPem);
  const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, options);
  const client = new PolicyInsightsClient(credential, AZURE_SUBSCRIPTION_ID, options);
  const { value } = await client.policyStates.summarizeForSubscription("latest", AZURE_SUBSCRIPTION_ID);
  expect(value?.[0]?.results?.nonCompliantResources).toBeGreaterThan(0);
});

test("nodemailer", async () => {
  const { response } = await nodemailer
    .createTransport(mailTransportOptions(suite.env))
    .sendMail({ from: "a@example.test", to: "b@example.test", text: "x" });
  expect(response).toMatch(/^250 /);
});

test("a variable that is missing is named", () => {
  expect(() => awsClientConfig({})).toThrow("AWS_ENDPOINT_URL is not set");
});
