/** Pages are sent from memory that is used again: a client that reads slowly must not see another's answer in its own. */
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { azurePolicyInsights } from "../../emulators/azure-policyinsights/index.ts";
import { startEmulator } from "../../emulators/kernel/start.ts";

test("answers that wait for their readers stay what they were", async () => {
  const emulator = await startEmulator(azurePolicyInsights, {
    environment: {
      BACKLOT_CLOCK: "frozen@2025-01-15T12:00:00Z",
      BACKLOT_AZURE_PORT: "0",
      BACKLOT_AZURE_HTTP_PORT: "0",
    },
  });
  const { state } = emulator.runtime;
  const port = emulator.addresses.find(({ scheme }) => scheme === "http")?.port;
  const post = (path: string, headers: Record<string, string>, body = "") =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({ port, host: "127.0.0.1", method: "POST", path: encodeURI(path), headers }, resolve);
      sent.on("error", reject);
      sent.end(body);
    });
  try {
    const { clientId = "", clientSecret = "" } = state.anyApplication() ?? {};
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scope: "https://management.azure.com/.default",
    });
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const signedIn = JSON.parse(await text(await post("/adfs/oauth2/token", type, form.toString())));
    const headers = { authorization: `Bearer ${signedIn.access_token}` };
    const scope = `/subscriptions/${state.subscriptions()[0]?.id}/providers/Microsoft.PolicyInsights/policyStates/latest`;
    const paths = ["Compliant", "NonCompliant", "Compliant' and resourceLocation eq 'eastus"].map(
      (value) => `${scope}/queryResults?api-version=2024-10-01&$filter=complianceState eq '${value}'`,
    );
    const quick: string[] = [];
    for (const path of paths) quick.push(await text(await post(path, headers)));
    expect(new Set(quick).size).toBe(3);
    expect(Math.min(...quick.map((body) => body.length))).toBeGreaterThan(300_000);
    // On one connection answers wait for each other, and all of them for a client that does not read.
    const turns = [0, 1, 2, 0, 1, 2, 2, 1, 0, 0, 1, 2];
    const socket = connect(port ?? 0, "127.0.0.1");
    const heads = turns.map((turn, at) =>
      [
        `POST ${encodeURI(paths[turn] ?? "")} HTTP/1.1`,
        `host: 127.0.0.1:${port}`,
        `authorization: ${headers.authorization}`,
        "content-length: 0",
        `connection: ${at === turns.length - 1 ? "close" : "keep-alive"}`,
      ].join("\r\n"),
    );
    socket.write(`${heads.join("\r\n\r\n")}\r\n\r\n`);
    await setTimeout(500);
    const answers = (await text(socket)).split(/HTTP\/1\.1 200 OK\r\n/).slice(1);
    expect(answers.map((answer) => quick.indexOf(answer.slice(answer.indexOf("\r\n\r\n") + 4)))).toEqual(turns);
  } finally {
    await emulator.close();
  }
});
