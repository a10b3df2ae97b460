import { answerJson } from "../../../kernel/exchange.ts";
import { spokenVersion } from "./about.ts";
import type { App } from "./context.ts";

interface Route {
  readonly method: string;
  readonly path: string;
}

/** The API's description: the paths that are served, by method, with the parameters in them. */
export function mailpitSwagger(app: App, routes: readonly Route[]): void {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path } of routes) {
    const shown = path.replaceAll(/:(\w+)/g, "{$1}");
    const parameters = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: "path",
      required: true,
      type: "string",
    }));
    const operation = { operationId: `${method} ${shown}`, parameters, responses: { 200: { description: "OK" } } };
    paths[shown] = { ...paths[shown], [method.toLowerCase()]: operation };
  }

  app.get("/api/v1/swagger.json", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/swagger.json");
    const base = new URL(exchange.base).pathname;
    return answerJson(exchange, 200, {
      swagger: "2.0",
      info: { title: "Mailpit API", version: "v1", description: `As Mailpit ${spokenVersion} has it` },
      host: exchange.host,
      basePath: base,
      schemes: [exchange.origin.startsWith("https:") ? "https" : "http"],
      consumes: ["application/json"],
      produces: ["application/json"],
      paths,
    });
  });
}
