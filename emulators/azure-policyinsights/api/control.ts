/** Control routes under `/_backlot/azure-policyinsights`: what a user of Event Grid sees elsewhere, and Resource Manager itself. */
import { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, answerJson } from "../../kernel/exchange.ts";
import { endpointOf } from "../domain/event-subscription.ts";
import { eventSecret, eventSubscriptions } from "../event-grid.ts";
import type { AzureState } from "../store.ts";
import { armRoutes } from "./arm-control.ts";

export function controlRoutes(runtime: Runtime<AzureState>): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  const { state, ids } = runtime;
  app.get("/event-subscriptions", ({ env: { exchange } }) =>
    answerJson(exchange, 200, {
      eventSubscriptions: eventSubscriptions(state).map((each) => ({
        id: each.id,
        provisioningState: each.provisioningState,
        endpointUrl: endpointOf(each),
        // What the Standard Webhooks headers of its deliveries are made with.
        ...(state.signsEvents() ? { secret: eventSecret(ids, each.id.toLowerCase()) } : {}),
      })),
    }),
  );
  app.get("/dead-letters", ({ env: { exchange } }) =>
    answerJson(exchange, 200, { deadLetters: deadLetters(state).map(({ id, events }) => ({ blob: id, events })) }),
  );
  app.get("/dead-letters.jsonl", ({ env: { exchange } }) => {
    const lines = deadLetters(state).flatMap(({ events }) => events.map((event) => `${JSON.stringify(event)}\n`));
    return answer(exchange, 200, lines.join(""), { "content-type": "application/jsonl" });
  });
  armRoutes(app, runtime);
  return app;
}

/** By the name of the blob that Event Grid would have written. */
function deadLetters({ documents }: AzureState): readonly { id: string; events: readonly unknown[] }[] {
  return documents
    .list("deadLetter")
    .flatMap(({ id, body }) => (body === null ? [] : [{ id, events: JSON.parse(body) }]));
}
