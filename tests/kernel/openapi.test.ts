import type { Hono } from "hono";
import { expect, test } from "vitest";
import * as z from "zod";
import { createControl } from "../../emulators/kernel/control.ts";
import { emulatorOperations } from "../../emulators/kernel/control-operations.ts";
import { vitalRoutes } from "../../emulators/kernel/control-vitals.ts";
import type { KernelEnv } from "../../emulators/kernel/emulator.ts";
import { openApi, ownOperations, routesOf } from "../../emulators/kernel/openapi.ts";
import { createSuiteControl } from "../../emulators/suite/control.ts";
import { suiteOperations } from "../../emulators/suite/control-operations.ts";
import { suiteVitals } from "../../emulators/suite/control-vitals.ts";
import { startExample } from "../support/example.ts";
import { example } from "../support/example-emulator.ts";

/** Stands for what a control API is made with; its routes are read, none is called. */
function hollow<T>(known: Readonly<Record<string, unknown>> = {}): T {
  const hole: unknown = new Proxy(() => {}, {
    get(_, name) {
      if (name === Symbol.toPrimitive) return () => 0;
      if (name === Symbol.iterator) return undefined;
      return typeof name === "string" && name in known ? known[name] : hollow();
    },
    apply: () => hollow(),
  });
  return hole as T;
}

const names = (routes: readonly { method: string; path: string }[]) =>
  [...new Set(routes.map(({ method, path }) => `${method} ${path}`))].sort();
const served = (...apps: Hono<KernelEnv>[]) => names(apps.flatMap(routesOf));

test("an emulator documents every route it serves, and serves every one it documents", async () => {
  const others = await createControl(example, hollow(), hollow());
  expect(names(emulatorOperations)).toEqual(served(vitalRoutes(example, hollow(), hollow()), others));
});

test("so does the suite", () => {
  const others = createSuiteControl(hollow({ members: [] }));
  expect(names(suiteOperations)).toEqual(served(suiteVitals([], hollow()), others));
});

test("the description is complete and says what the schemas check", async () => {
  const { call } = await startExample();
  const { body, status } = await call("GET", "/_backlot/openapi.json");
  expect(status).toBe(200);
  const Parameter = z.object({ name: z.string(), in: z.enum(["path", "query"]), schema: z.unknown() });
  const Described = z.object({
    operationId: z.string(),
    summary: z.string().min(1),
    parameters: z.array(Parameter).optional(),
    requestBody: z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })) }).optional(),
    responses: z.record(z.string(), z.object({ description: z.string() })),
  });
  const document = z
    .object({
      openapi: z.literal("3.1.0"),
      info: z.object({ title: z.string(), version: z.string() }),
      paths: z.record(z.string(), z.record(z.string(), Described)),
    })
    .parse(body);
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  expect(document.paths["/_backlot/mode"]?.put?.requestBody?.content["application/json"]?.schema).toMatchObject({
    properties: { mode: { enum: ["mock", "real"] } },
    required: ["mode"],
    additionalProperties: false,
  });
  expect(document.paths["/_backlot/journal"]?.get?.parameters?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["kind", "subject", "operation", "q", "since", "limit"]),
  );
  expect(document.paths["/_backlot/faults/{id}"]?.get?.parameters).toMatchObject([{ name: "id", in: "path" }]);
});

test("routes of an emulator's own are listed under its name", async () => {
  const document = openApi("x", ownOperations(await createControl(example, hollow(), hollow()), "/x", "X"));
  expect(Object.keys(document.paths as object)).toContain("/x/_backlot/mode");
  expect(ownOperations(undefined, "/x", "X")).toEqual([]);
});
