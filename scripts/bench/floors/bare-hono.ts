/** Hono on its Node server, and nothing else. */
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { announce } from "./listen.ts";

const app = new Hono();
app.post("*", async (c) => {
  await c.req.text();
  return c.json({ ok: true }, 201);
});
app.get("*", (c) => c.json({ ok: true }));

const server = createAdaptorServer({ fetch: app.fetch });
server.listen(0, "127.0.0.1", () => announce(server.address()));
