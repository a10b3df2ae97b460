/** The example emulator with a way to cause a storm of webhooks. */
import { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../emulators/kernel/emulator.ts";
import { answerJson } from "../../emulators/kernel/exchange.ts";
import { readBody } from "../../emulators/kernel/http/input.ts";
import { example } from "./example-emulator.ts";

const Storm = z.strictObject({ name: z.string(), resources: z.int().min(1), each: z.int().min(1) });

/** Emits `each` events about each of `resources`, in slices, so that requests get in between; answers when all are kept. */
export async function emitStorm(
  runtime: Pick<Runtime<unknown>, "store" | "outbox" | "clock">,
  storm: z.output<typeof Storm>,
) {
  const { store, outbox, clock } = runtime;
  for (let seq = 0; seq < storm.each; seq += 1) {
    for (let from = 0; from < storm.resources; from += 20) {
      store.write(() => {
        for (let n = from; n < Math.min(from + 20, storm.resources); n += 1) {
          const id = `${storm.name}-${n}`;
          outbox.emit({ type: "storm.step", subject: id, occurredAt: clock.now(), data: { id, seq } });
        }
      });
      await store.committed();
    }
  }
}

export const storming: typeof example = {
  ...example,
  async control(runtime) {
    const app = new Hono<KernelEnv>();
    app.post("/storm", async (c) => {
      await emitStorm(runtime, readBody(c.env.exchange, Storm));
      return answerJson(c.env.exchange, 202, runtime.outbox.counts());
    });
    return app;
  },
};
