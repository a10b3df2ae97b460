/** OpenAPI 3.1 of a control API, from one list of operations and the very schemas that check what is sent. */
import type { Hono } from "hono";
import * as z from "zod";
import { packageVersion } from "./control-journal.ts";
import type { KernelEnv } from "./emulator.ts";

export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With parameters in braces: `/_backlot/faults/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Media type of the body where it is not JSON. */
  readonly takes?: string;
  /** Success; default 200. */
  readonly status?: number;
  /** Media type of the answer; default JSON, `null` for none. */
  readonly gives?: string | null;
}

export const schemaPath = "/_backlot/openapi.json";

export function openApi(title: string, operations: readonly Operation[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    Object.assign(paths[operation.path] ?? {}, { [operation.method]: describe(operation) });
  }
  return {
    openapi: "3.1.0",
    info: {
      title,
      version: packageVersion(),
      description: "How to steer and watch Backlot. Errors are {error, message}.",
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "BACKLOT_CONTROL_TOKEN, where it is set" },
      },
      schemas: { Error: jsonSchema(ErrorAnswer) },
    },
    security: [{}, { token: [] }],
  };
}

const ErrorAnswer = z.object({ error: z.string(), message: z.string() });

function describe(operation: Operation): Record<string, unknown> {
  const { method, path, summary, query, body, status = 200, gives = "application/json" } = operation;
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
    })),
    ...(query ? queryParameters(query) : []),
  ];
  return {
    operationId: `${method} ${path}`.replace(/[^a-z0-9]+/gi, "_").replace(/_+$/, ""),
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? { requestBody: { content: { [operation.takes ?? "application/json"]: { schema: jsonSchema(body) } } } }
      : {}),
    responses: {
      [String(status)]: { description: "Done", ...(gives === null ? {} : { content: { [gives]: {} } }) },
      default: {
        description: "Refused",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

function queryParameters(query: z.ZodObject): unknown[] {
  const { properties, required } = z
    .object({ properties: z.record(z.string(), z.unknown()).default({}), required: z.array(z.string()).default([]) })
    .parse(jsonSchema(query));
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    ...(required.includes(name) ? { required: true } : {}),
    schema,
  }));
}

/** What a client sends, before defaults are filled in; what JSON Schema cannot say (refinements) is left out. */
function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}

/** Control routes that an emulator brings itself, described by their paths. */
export function ownOperations(app: Hono<KernelEnv> | undefined, base: string, title: string): Operation[] {
  if (!app) return [];
  return routesOf(app).map(({ method, path }) => ({
    method,
    path: path === "/" ? base : base + path,
    summary: `${title}: ${method.toUpperCase()} ${path}`,
  }));
}

/** The routes of an application as `get /notes/{id}`: what is declared is compared with, and emulators' own are listed by. */
export function routesOf(app: Hono<KernelEnv>): { readonly method: Operation["method"]; readonly path: string }[] {
  return app.routes.flatMap(({ method, path }) => {
    const known = methods.find((name) => name === method.toLowerCase());
    return known ? [{ method: known, path: path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}") }] : [];
  });
}

const methods = ["get", "post", "put", "patch", "delete"] as const;
