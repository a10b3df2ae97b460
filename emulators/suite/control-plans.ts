/** Planned faults, limits, snapshots and the receiver probe for all emulators at once, or for the one that is named. */
import type { Hono } from "hono";
import * as z from "zod";
import type { Clock } from "../kernel/clock.ts";
import { noSuchFault, readFaults } from "../kernel/control-faults.ts";
import { UrlProbe } from "../kernel/control-probe.ts";
import { noSuchSnapshot, SnapshotInput } from "../kernel/control-snapshots.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../kernel/exchange.ts";
import { readBody } from "../kernel/http/input.ts";
import { LimitsInput } from "../kernel/limits-input.ts";
import { ControlError } from "../kernel/plain-errors.ts";
import { ask, askAll, firstOf, guarded, type Member, MemberError } from "./member.ts";

interface Plans {
  readonly members: readonly Member[];
  /** The clock that leads them. */
  readonly clock: Clock;
}

export function planRoutes(control: Hono<KernelEnv>, plans: Plans): void {
  faultRoutes(control, plans);
  limitRoutes(control, plans);
  snapshotRoutes(control, plans);
  probeRoutes(control, plans);
}

interface Planned {
  readonly id: string;
}

function faultRoutes(control: Hono<KernelEnv>, { members }: Plans): void {
  const base = "/_backlot/faults";
  const planned = async () => {
    const lists = await guarded(askAll<{ faults: readonly Planned[] }>(members, "GET", base));
    return lists.flatMap(([, { faults }]) => faults);
  };
  control.get(base, async (c) => answerJson(c.env.exchange, 200, { faults: await planned() }));
  control.post(base, async (c) => {
    const input = readFaults(c.env.exchange);
    const rules = (Array.isArray(input) ? input : [input]).map((rule) => ({
      rule,
      targets: named(members, rule.emulator),
    }));
    const faults: Planned[] = [];
    for (const { rule, targets } of rules) {
      const { emulator: _, ...rest } = rule;
      for (const [, added] of await guarded(askAll<Planned>(targets, "POST", base, rest))) faults.push(added);
    }
    return answerJson(c.env.exchange, 201, { faults });
  });
  control.delete(base, async (c) => {
    const answers = await guarded(askAll<{ removed: number }>(members, "DELETE", base));
    return answerJson(c.env.exchange, 200, { removed: answers.reduce((sum, [, { removed }]) => sum + removed, 0) });
  });
  control.delete(`${base}/state`, async (c) => {
    await guarded(askAll(members, "DELETE", `${base}/state`));
    return answerJson(c.env.exchange, 200, { faults: await planned() });
  });
  control.delete(`${base}/:id`, async (c) => {
    const id = c.req.param("id");
    if (!(await anyOf(members, "DELETE", `${base}/${encodeURIComponent(id)}`))) throw noSuchFault(id);
    return answer(c.env.exchange, 204, null, {});
  });
}

function limitRoutes(control: Hono<KernelEnv>, { members }: Plans): void {
  const base = "/_backlot/limits";
  const services = async (exchange: Exchange, method: string, targets: readonly Member[], body?: unknown) =>
    answerJson(exchange, 200, { services: Object.fromEntries(await guarded(askAll(targets, method, base, body))) });
  control.get(base, (c) => services(c.env.exchange, "GET", members));
  control.put(base, (c) => {
    const { emulator, ...input } = readBody(c.env.exchange, LimitsInput.extend({ emulator: z.string().optional() }));
    return services(c.env.exchange, "PUT", named(members, emulator), input);
  });
  control.delete(base, (c) => services(c.env.exchange, "DELETE", members));
}

interface Snapshot {
  readonly name: string;
  readonly savedAt: string;
  readonly digest: string;
}

function snapshotRoutes(control: Hono<KernelEnv>, { members, clock }: Plans): void {
  const base = "/_backlot/snapshots";
  const lists = () => guarded(askAll<{ snapshots: readonly Snapshot[] }>(members, "GET", base));
  control.get(base, async (c) => {
    const found = await lists();
    const names = [...new Set(found.flatMap(([, { snapshots }]) => snapshots.map(({ name }) => name)))].sort();
    return answerJson(c.env.exchange, 200, {
      snapshots: names.map((name) => ({
        name,
        services: Object.fromEntries(
          found.flatMap(([member, { snapshots }]) => {
            const own = snapshots.find((snapshot) => snapshot.name === name);
            return own ? [[member, { savedAt: own.savedAt, digest: own.digest }]] : [];
          }),
        ),
      })),
    });
  });
  control.post(base, async (c) => {
    const input = readBody(c.env.exchange, SnapshotInput);
    const services = Object.fromEntries(await guarded(askAll<Snapshot>(members, "POST", base, input)));
    return answerJson(c.env.exchange, 201, { name: input.name, services });
  });
  control.post(`${base}/:name/restore`, async (c) => {
    const name = c.req.param("name");
    // Looked up first: either all go back or none.
    const missing = (await lists()).filter(
      ([, { snapshots }]) => !snapshots.some((snapshot) => snapshot.name === name),
    );
    if (missing.length === members.length) throw noSuchSnapshot(name);
    if (missing.length > 0)
      throw new ControlError(
        409,
        "snapshot_incomplete",
        `${missing.map(([member]) => member).join(", ")} has no snapshot ${name}, so none was restored.`,
      );
    const restored = await guarded(
      askAll<{ now: string }>(members, "POST", `${base}/${encodeURIComponent(name)}/restore`),
    );
    const now = Math.max(...restored.map(([, view]) => Date.parse(view.now)));
    if (clock.mode === "frozen") clock.set({ mode: "frozen", at: now });
    return answerJson(c.env.exchange, 200, { status: "restored", name, services: Object.fromEntries(restored) });
  });
  control.delete(`${base}/:name`, async (c) => {
    const name = c.req.param("name");
    if (!(await anyOf(members, "DELETE", `${base}/${encodeURIComponent(name)}`))) throw noSuchSnapshot(name);
    return answer(c.env.exchange, 204, null, {});
  });
}

function probeRoutes(control: Hono<KernelEnv>, { members }: Plans): void {
  // Whoever sends it, the requests are the same; only an emulator's own scheme needs that emulator.
  control.post("/_backlot/webhooks/probe", async (c) => {
    const { emulator, ...input } = readBody(c.env.exchange, UrlProbe.extend({ emulator: z.string().optional() }));
    const [first] = named(members, emulator);
    if (!first) throw new ControlError(503, "no_services", "No emulator is running.");
    return answerJson(c.env.exchange, 200, await guarded(ask(first, "POST", "/_backlot/webhooks/probe", input)));
  });
  control.post("/_backlot/webhooks/endpoints/:id/probe", async (c) => {
    const id = c.req.param("id");
    const body = readBody(c.env.exchange, z.record(z.string(), z.unknown()));
    const found = await guarded(
      firstOf(members, "POST", `/_backlot/webhooks/endpoints/${encodeURIComponent(id)}/probe`, body),
    );
    if (found) return answerJson(c.env.exchange, 200, found.answer);
    throw new ControlError(
      404,
      "no_such_endpoint",
      `There is no webhook endpoint ${id}; GET /_backlot/webhooks/endpoints lists them.`,
    );
  });
}

function named(members: readonly Member[], name: string | undefined): readonly Member[] {
  if (name === undefined) return members;
  const found = members.filter((member) => member.name === name);
  if (found.length === 0)
    throw new ControlError(
      400,
      "unknown_emulator",
      `body.emulator: ${name} is not running here; there are ${members.map((member) => member.name).join(", ")}.`,
    );
  return found;
}

/** Asks all; whether at least one had it. */
async function anyOf(members: readonly Member[], method: string, path: string): Promise<boolean> {
  const answers = await guarded(Promise.all(members.map((member) => unlessMissing(ask(member, method, path)))));
  return answers.some((found) => found !== undefined);
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (cause) {
    if (cause instanceof MemberError && cause.status === 404) return undefined;
    throw cause;
  }
}
