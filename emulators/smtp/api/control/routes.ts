import { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../../kernel/emulator.ts";
import type { MailState } from "../../state.ts";
import { eventRoutes } from "./events.ts";
import { listRoutes } from "./lists.ts";
import { messageRoutes } from "./message.ts";
import { waitRoutes } from "./wait.ts";

/** Routes under /_backlot/smtp. */
export function control(runtime: Runtime<MailState>): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  waitRoutes(app, runtime);
  listRoutes(app, runtime);
  messageRoutes(app, runtime);
  eventRoutes(app, runtime);
  return app;
}
