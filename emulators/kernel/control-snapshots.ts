/** Control routes of snapshots: named copies of everything a reset covers. */
import type { Hono } from "hono";
import * as z from "zod";
import { isoMilliseconds } from "./clock.ts";
import type { KernelEnv, Runtime } from "./emulator.ts";
import { answer, answerJson } from "./exchange.ts";
import { readBody } from "./http/input.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { ControlError } from "./plain-errors.ts";

export const SnapshotInput = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "up to 64 letters, digits, dots, dashes and underscores"),
});

export function snapshotRoutes(control: Hono<KernelEnv>, runtime: Runtime<unknown>, lifecycle: Lifecycle): void {
  const { store, clock, journal } = runtime;
  const base = "/_backlot/snapshots";
  const list = () =>
    store.snapshots.list().map(({ name, savedAt, digest }) => ({ name, savedAt: isoMilliseconds(savedAt), digest }));
  control.get(base, (c) => answerJson(c.env.exchange, 200, { snapshots: list() }));
  control.post(base, (c) => {
    const { name } = readBody(c.env.exchange, SnapshotInput);
    store.snapshots.save(name);
    journal.append("control", undefined, { snapshot: name, done: "saved" });
    return answerJson(
      c.env.exchange,
      201,
      list().find((snapshot) => snapshot.name === name),
    );
  });
  control.post(`${base}/:name/restore`, (c) => {
    const name = c.req.param("name");
    if (!lifecycle.restore(name)) throw noSuchSnapshot(name);
    journal.append("control", undefined, { snapshot: name, done: "restored" });
    return answerJson(c.env.exchange, 200, {
      status: "restored",
      name,
      digest: store.digest(),
      now: isoMilliseconds(clock.now()),
    });
  });
  control.delete(`${base}/:name`, (c) => {
    const name = c.req.param("name");
    if (!store.snapshots.delete(name)) throw noSuchSnapshot(name);
    journal.append("control", undefined, { snapshot: name, done: "deleted" });
    return answer(c.env.exchange, 204, null, {});
  });
}

export function noSuchSnapshot(name: string): ControlError {
  return new ControlError(404, "no_such_snapshot", `There is no snapshot ${name}; GET /_backlot/snapshots lists them.`);
}
