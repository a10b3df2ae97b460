/** A million states over a socket, as a client meets them. The client shares the process: its time counts too. */
import { Agent, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { azurePolicyInsights } from "../../emulators/azure-policyinsights/index.ts";
import type { AzureState } from "../../emulators/azure-policyinsights/store.ts";
import { type RunningEmulator, startEmulator } from "../../emulators/kernel/start.ts";
import { makeMillion, medianOf, now, pathOf, questions, quietOf, statesPath, times, tolerance } from "./million.ts";

let emulator: RunningEmulator<AzureState>;
let port = 0;
let bearer = "";
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  emulator = await startEmulator(azurePolicyInsights, {
    environment: {
      BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z",
      BACKLOT_AZURE_PORT: "0",
      BACKLOT_AZURE_HTTP_PORT: "0",
    },
  });
  port = emulator.addresses.find((each) => each.scheme === "http")?.port ?? 0;
  makeMillion(emulator);
  const application = emulator.runtime.state.anyApplication();
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: application?.clientId ?? "",
    client_secret: application?.clientSecret ?? "",
    scope: "https://management.azure.com/.default",
  });
  const answer = await call("/adfs/oauth2/token", form.toString(), "application/x-www-form-urlencoded");
  bearer = `Bearer ${(JSON.parse(answer.toString()) as { access_token: string }).access_token}`;
  // The first question makes the estate, which has a bar of its own.
  await call(statesPath(emulator, "&$top=1"));
});
afterAll(async () => {
  agent.destroy();
  await emulator.close();
});

function call(path: string, body = "", type = "application/json"): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": type, ...(bearer === "" ? {} : { authorization: bearer }) };
    const options = { port, host: "127.0.0.1", method: "POST", path: encodeURI(path), headers, agent };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`${response.statusCode} ${Buffer.concat(chunks).toString()}`));
      });
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

test.each(Object.entries(questions))("%s", async (name, question) => {
  const path = pathOf(emulator, question);
  const sorted = await times(() => call(path));
  const median = medianOf(sorted);
  console.info(
    `over HTTP, ${name}: least ${sorted[0]?.toFixed(1)} ms, median ${median.toFixed(1)} ms, bar ${question.bar} ms`,
  );
  expect(quietOf(sorted)).toBeLessThan(question.bar * tolerance);
});

test("Resource Graph counts a million states", async () => {
  const query =
    "policyresources | where type =~ 'microsoft.policyinsights/policystates' | summarize n = count() by tostring(properties.complianceState)";
  const path = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
  const start = now();
  const answer = await call(path, JSON.stringify({ query }));
  const first = now() - start;
  const sorted = await times(() => call(path, JSON.stringify({ query })), 11);
  const median = medianOf(sorted);
  console.info(
    `over HTTP, Resource Graph over all states: first ${first.toFixed(0)} ms, median ${median.toFixed(1)} ms`,
  );
  const { data } = JSON.parse(answer.toString()) as { data: { n: number }[] };
  expect(data.reduce((all, { n }) => all + n, 0)).toBe(emulator.runtime.state.readings().estate.rows.count);
  expect(quietOf(sorted)).toBeLessThan(40 * tolerance);
});
