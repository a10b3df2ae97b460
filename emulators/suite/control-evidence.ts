/** Evidence by the control API: start, stop, and the archive of the last pack. */
import { createHash } from "node:crypto";
import type { Hono } from "hono";
import * as z from "zod";
import { isoMilliseconds } from "../kernel/clock.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { answer, answerJson } from "../kernel/exchange.ts";
import { readBody } from "../kernel/http/input.ts";
import { ControlError } from "../kernel/plain-errors.ts";
import type { Recorder } from "./evidence/recorder.ts";

export const RecordingInput = z.strictObject({
  title: z.string().min(1).max(200).optional(),
  about: z.string().max(2_000).optional(),
  /** Asks every service to be real for a moment, at the end: for suites that nobody else uses. */
  failFast: z.boolean().default(false),
});

export const archiveType = "application/x-tar";

export function evidenceRoutes(control: Hono<KernelEnv>, recorder: Recorder): void {
  const base = "/_backlot/evidence";
  let last: { readonly name: string; readonly archive: Buffer; readonly fingerprint: string } | undefined;
  control.get(base, (c) =>
    answerJson(c.env.exchange, 200, {
      recordingSince: recorder.since === undefined ? null : isoMilliseconds(recorder.since),
      pack: last ? { name: last.name, bytes: last.archive.length, fingerprint: last.fingerprint } : null,
    }),
  );
  control.post(`${base}/start`, async (c) => {
    const { title, about, failFast } = readBody(c.env.exchange, RecordingInput);
    await recorder.start({
      failFast,
      ...(title === undefined ? {} : { title }),
      ...(about === undefined ? {} : { about }),
    });
    return answerJson(c.env.exchange, 201, { recordingSince: isoMilliseconds(recorder.since ?? 0) });
  });
  control.post(`${base}/stop`, async (c) => {
    last = undefined;
    const recorded = await recorder.stop();
    last = { name: recorded.name, archive: recorded.tar(), fingerprint: recorded.fingerprint };
    return answerJson(c.env.exchange, 200, {
      name: recorded.name,
      files: recorded.files.size,
      bytes: last.archive.length,
      fingerprint: last.fingerprint,
    });
  });
  control.get(`${base}/pack.tar`, (c) => {
    if (!last) throw new ControlError(404, "no_pack", "There is no pack yet; POST /_backlot/evidence/stop makes one.");
    const { name, archive } = last;
    // RFC 9530: whoever downloads it can tell at once whether it came whole.
    const digest = createHash("sha256").update(archive).digest("base64");
    return answer(c.env.exchange, 200, archive, {
      "content-type": archiveType,
      "content-disposition": `attachment; filename="${name}.tar"`,
      "content-digest": `sha-256=:${digest}:`,
    });
  });
}
