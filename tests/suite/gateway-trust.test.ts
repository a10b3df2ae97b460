/** Trusting the local authority gives it no power over other names: its constraints hold. Python and curl: exec-tools. */
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { serveNamed } from "../support/forged-leaf.ts";

test.each([
  ["api.twilio.com", undefined],
  ["ec2.eu-west-1.amazonaws.com", undefined],
  ["localhost", undefined],
  ["example.com", "permitted subtree violation"],
  ["twilio.com.example.com", "permitted subtree violation"],
  ["eviltwilio.com", "permitted subtree violation"],
  ["azure.com", "permitted subtree violation"],
  ["www.google.com", "permitted subtree violation"],
])("a leaf for %s: Node says %s", async (name, refusal) => {
  const { port, caPem } = await serveNamed(name);
  const socket = connect({ host: "127.0.0.1", port, servername: name, ca: caPem });
  const said = await new Promise<string | undefined>((resolve) => {
    socket.once("secureConnect", () => resolve(undefined));
    socket.once("error", (cause) => resolve(cause.message));
  });
  socket.destroy();
  expect(said).toBe(refusal);
});
