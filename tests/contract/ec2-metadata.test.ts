/** The instance metadata service while no instance runs. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
beforeAll(async () => {
  started = await startEc2();
});
afterAll(() => started.close());

const ttl = "x-aws-ec2-metadata-token-ttl-seconds";
const put = (headers: Record<string, string>) => fetch(`${started.imds}/latest/api/token`, { method: "PUT", headers });
const get = (path: string, token?: string) =>
  fetch(started.imds + path, token === undefined ? {} : { headers: { "x-aws-ec2-metadata-token": token } });

test("a token for one second to six hours", async () => {
  const given = await put({ [ttl]: "21600" });
  expect([given.status, given.headers.get(ttl), given.headers.get("content-type")]).toEqual([
    200,
    "21600",
    "text/plain",
  ]);
  expect((await given.text()).length).toBeGreaterThan(20);
  for (const bad of ["0", "21601", "-1", "x", ""]) expect((await put({ [ttl]: bad })).status).toBe(400);
  expect((await put({})).status).toBe(400);
  expect((await put({ [ttl]: "60", "x-forwarded-for": "10.0.0.1" })).status).toBe(403);
  expect((await fetch(`${started.imds}/latest/api/token`)).status).toBe(405);
});

test("no instance runs: nothing is there, with a token or without; a token that is none is refused", async () => {
  const token = await (await put({ [ttl]: "60" })).text();
  for (const path of [
    "/latest/meta-data/",
    "/latest/meta-data/instance-id",
    "/latest/meta-data/spot/instance-action",
    "/latest/dynamic/instance-identity/document",
    "/latest/user-data",
  ]) {
    expect((await get(path)).status).toBe(404);
    expect((await get(path, token)).status).toBe(404);
    expect((await get(path, `${token}x`)).status).toBe(401);
    expect((await get(path, "forged")).status).toBe(401);
  }
});
