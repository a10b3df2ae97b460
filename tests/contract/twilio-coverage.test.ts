/** The coverage table is true: what is declared exists in Twilio's specification, and what is not served says so. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { capabilities } from "../../emulators/twilio/capabilities.ts";
import { declared, shapeOf, specifiedOperations } from "../../scripts/generate/twilio-coverage.ts";
import { type TwilioServer, twilioServer } from "./twilio-client.ts";

let server: TwilioServer;
beforeAll(async () => {
  server = await twilioServer();
});
afterAll(() => server.close());

const specified = [...specifiedOperations()].flatMap(([base, operations]) =>
  operations.map((operation) => ({ base, operation, status: declared.get(shapeOf(base, operation)) })),
);

test("whatever is declared is an operation of Twilio's specification", () => {
  const known = new Set(specified.map(({ base, operation }) => shapeOf(base, operation)));
  const own = capabilities.map(({ operation }) => operation).filter((operation) => !/ \{\w+\}$/.test(operation));
  expect(own.filter((operation) => !known.has(operation.replace(/\{[^}]+\}/g, "{}")))).toEqual([]);
});

test("every other operation of every host answers 20404, or 20004 where the path is served by another method", async () => {
  const { TWILIO_ACCOUNT_SID: user = "", TWILIO_AUTH_TOKEN: password = "" } = server.env;
  const authorization = `Basic ${btoa(`${user}:${password}`)}`;
  const absent = specified.filter(({ status }) => status === undefined || status === "absent");
  const served = new Set(
    specified
      .filter(({ status }) => status === "full" || status === "partial")
      .map(({ base, operation }) => shapeOf(base, operation).replace(/^\w+ /, "")),
  );
  const wrong: string[] = [];
  for (const { base, operation } of absent) {
    const [method = "", path = ""] = operation.split(" ");
    const filled = path.replace("{AccountSid}", user).replace(/\{[^}]+\}/g, `XX${"0".repeat(32)}`);
    const response = await server.fetch(new Request(base + filled, { method, headers: { authorization } }));
    const answer = (await response.json()) as { code?: number };
    const neighbour = served.has(shapeOf(base, operation).replace(/^\w+ /, ""));
    const expected = response.status === 405 && neighbour ? 20004 : 20404;
    if (answer.code !== expected) wrong.push(`${operation} at ${base}: ${response.status} ${JSON.stringify(answer)}`);
  }
  expect(wrong).toEqual([]);
  expect(absent.length).toBeGreaterThan(1_200);
});
