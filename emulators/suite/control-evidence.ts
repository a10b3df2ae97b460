/** Evidence by the control API: start, stop, the packs that were made with their archives, and whether each is whole. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { Hono } from "hono";
import * as z from "zod";
import { isoMilliseconds } from "../kernel/clock.ts";
import { refusedInRealMode } from "../kernel/control-real-mode.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../kernel/exchange.ts";
import { readBody } from "../kernel/http/input.ts";
import { ControlError } from "../kernel/plain-errors.ts";
import type { Recorder } from "./evidence/recorder.ts";
import type { PackShelf } from "./evidence/shelf.ts";
import type { Leader } from "./leader.ts";

export const RecordingInput = z.strictObject({
  title: z.string().min(1).max(200).optional(),
  about: z.string().max(2_000).optional(),
  /** Asks every service to be real for a moment, at the end: for suites that nobody else uses. */
  failFast: z.boolean().default(false),
});

export const archiveType = "application/x-tar";

interface EvidenceParts {
  readonly evidence: Recorder;
  readonly packs: PackShelf;
  readonly leader: Leader;
}

export function evidenceRoutes(control: Hono<KernelEnv>, { evidence: recorder, packs, leader }: EvidenceParts): void {
  const base = "/_backlot/evidence";
  let title: string | undefined;
  refusedInRealMode(control, base, leader.mode, "evidence of what is emulated");
  control.get(base, (c) => {
    const [last] = packs.packs;
    return answerJson(c.env.exchange, 200, {
      recordingSince: recorder.since === undefined ? null : isoMilliseconds(recorder.since),
      pack: last ? { name: last.name, bytes: last.bytes, fingerprint: last.fingerprint } : null,
    });
  });
  control.post(`${base}/start`, async (c) => {
    const { about, failFast, title: given } = readBody(c.env.exchange, RecordingInput);
    await recorder.start({
      folder: packs.place(),
      failFast,
      ...(given === undefined ? {} : { title: given }),
      ...(about === undefined ? {} : { about }),
    });
    title = given;
    return answerJson(c.env.exchange, 201, { recordingSince: isoMilliseconds(recorder.since ?? 0) });
  });
  control.post(`${base}/stop`, async (c) => {
    const recorded = await recorder.stop();
    const pack = packs.add(recorded, title ?? recorded.name, leader.clock.now());
    const { id, name, files, bytes, fingerprint } = pack;
    return answerJson(c.env.exchange, 200, { id, name, files, bytes, fingerprint });
  });
  control.get(`${base}/pack.tar`, (c) => {
    const [last] = packs.packs;
    if (!last) throw new ControlError(404, "no_pack", "There is no pack yet; POST /_backlot/evidence/stop makes one.");
    return archive(c.env.exchange, packs, last.id);
  });

  control.get(`${base}/packs`, (c) => answerJson(c.env.exchange, 200, { packs: packs.packs }));
  control.get(`${base}/packs/:id/pack.tar`, (c) => archive(c.env.exchange, packs, c.req.param("id")));
  control.get(`${base}/packs/:id/verdict`, async (c) => {
    const file = packs.archiveOf(c.req.param("id"));
    if (file === undefined) throw noSuchPack(c.req.param("id"));
    const { verifyApart } = await import("./evidence/verify-apart.ts");
    return answerJson(c.env.exchange, 200, await verifyApart(file));
  });
  control.delete(`${base}/packs/:id`, (c) => {
    if (!packs.remove(c.req.param("id"))) throw noSuchPack(c.req.param("id"));
    return answer(c.env.exchange, 204, null, {});
  });
}

function archive(exchange: Exchange, packs: PackShelf, id: string): Response {
  const pack = packs.packs.find((one) => one.id === id);
  const file = packs.archiveOf(id);
  if (!pack || file === undefined) throw noSuchPack(id);
  // RFC 9530: whoever downloads it can tell at once whether it came whole.
  const digest = Buffer.from(pack.fingerprint, "hex").toString("base64");
  return answer(exchange, 200, Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>, {
    "content-type": archiveType,
    "content-length": String(pack.bytes),
    "content-disposition": `attachment; filename="${pack.name}.tar"`,
    "content-digest": `sha-256=:${digest}:`,
  });
}

function noSuchPack(id: string): ControlError {
  return new ControlError(404, "no_such_pack", `There is no pack ${id}; GET /_backlot/evidence/packs lists them.`);
}
