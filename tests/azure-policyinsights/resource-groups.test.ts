import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());

interface Group {
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
}

const groups = () => `${arm.subscription}/resourceGroups`;
const call = (method: string, name: string, body?: unknown) => arm.call<Group>(method, `${groups()}/${name}`, body);
const list = async (query = "") => (await arm.call<{ value: Group[] }>("GET", `${groups()}${query}`)).body.value;
const names = async (query = "") => (await list(query)).map(({ name }) => name);
const refusal = async (method: string, path: string, body?: unknown) => {
  const { status, body: answer } = await arm.call(method, path, body);
  return [status, answer.error.code];
};

test("a group is read as it was written, whatever the case of its name", async () => {
  const made = await call("PUT", "MyGroup", { location: "France Central", tags: { env: "test" } });
  expect([made.status, made.body]).toMatchObject([
    201,
    { name: "MyGroup", location: "francecentral", tags: { env: "test" } },
  ]);
  expect((await call("GET", "mygroup")).body).toEqual(made.body);
  const patched = await call("PATCH", "MYGROUP", { tags: { owner: "me" } });
  expect(patched.body).toMatchObject({ name: "MyGroup", tags: { env: "test", owner: "me" } });
  expect(await list("?$filter=tagName eq 'env' and tagValue eq 'test'")).toEqual([patched.body]);
  expect(await names("?$top=2")).toHaveLength(2);
  expect(await refusal("GET", `${groups()}?$filter=name eq 'x'`)).toEqual([400, "InvalidFilterInQueryString"]);
});

test("a seeded group shows the tags that its states are about", async () => {
  const states = await arm.all(
    arm.subscription,
    "&$filter=policyAssignmentName eq 'require-costcenter-on-groups' and complianceState eq 'Compliant'",
  );
  const compliant = new Set(states.map(({ resourceId }) => resourceId.slice(resourceId.lastIndexOf("/") + 1)));
  expect(compliant.size).toBeGreaterThan(5);
  const tagged = (await list()).filter(({ tags }) => tags.costCenter !== undefined).map(({ name }) => name);
  expect(tagged).toEqual(expect.arrayContaining([...compliant]));
  const found = await names("?$filter=tagName eq 'costCenter'");
  expect(found).toEqual(tagged);
});

test("HEAD answers 204 for what is there and 404 for what is not", async () => {
  const resource = `${groups()}/MyGroup/providers/Microsoft.Storage/storageAccounts/sthead`;
  await arm.call("PUT", resource, { location: "francecentral", tags: { env: "test" } });
  for (const path of [`${groups()}/MyGroup`, resource]) {
    expect((await arm.call("HEAD", path)).status).toBe(204);
    expect((await arm.call("HEAD", `${path}x`)).status).toBe(404);
  }
  const listed = async (filter: string) =>
    (await arm.call("GET", `${arm.subscription}/resources?$filter=${filter}`)).body.value.map(({ name }) => name);
  expect(await listed("tagName eq 'env' and tagValue eq 'test'")).toEqual(["sthead"]);
  expect(await refusal("GET", `${arm.subscription}/resources?$filter=colour eq 'red'`)).toEqual([
    400,
    "InvalidFilterInQueryString",
  ]);
});

test("groups and resources stay where they were made", async () => {
  expect(await refusal("PUT", `${groups()}/MyGroup`, { location: "eastus" })).toEqual([
    409,
    "InvalidResourceGroupLocation",
  ]);
  const resource = `${groups()}/MyGroup/providers/Microsoft.Storage/storageAccounts/sthead`;
  expect(await refusal("PUT", resource, { location: "eastus" })).toEqual([409, "InvalidResourceLocation"]);
});

test("a deleted group is gone from every view", async () => {
  for (const name of ["MyGroup", "rg-web-prod-01"]) {
    expect((await call("DELETE", name)).status).toBe(200);
    expect((await call("GET", name)).status).toBe(404);
    expect(await names()).not.toContain(name);
    expect(await refusal("PATCH", `${groups()}/${name}`, { tags: {} })).toEqual([404, "ResourceGroupNotFound"]);
    expect(await refusal("DELETE", `${groups()}/${name}`)).toEqual([404, "ResourceGroupNotFound"]);
  }
});
