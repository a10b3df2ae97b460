/** Every archive of a pack against HTTP Archive 1.2, written from its specification and not from the code that makes them. */
import { join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { playScenario } from "../../emulators/suite/evidence/scenario/run.ts";
import { readScenario } from "../../emulators/suite/evidence/scenario/schema.ts";

/** http://www.softwareishard.com/blog/har-12-spec/: what is not named there must begin with an underscore. */
function har<Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .looseObject(shape)
    .refine((value) => Object.keys(value).every((name) => name in shape || name.startsWith("_")), "a name of its own");
}
const pairs = z.array(har({ name: z.string(), value: z.string(), comment: z.string().optional() }));
const size = z.int().min(-1);
const Archive = z.strictObject({
  log: har({
    version: z.literal("1.2"),
    creator: har({ name: z.string().min(1), version: z.string() }),
    entries: z.array(
      har({
        startedDateTime: z.iso.datetime(),
        time: z.number().min(0),
        request: har({
          method: z.string().min(1),
          url: z.url(),
          httpVersion: z.string().min(1),
          cookies: z.array(z.unknown()),
          headers: pairs,
          queryString: pairs,
          postData: har({ mimeType: z.string(), params: z.array(z.unknown()), text: z.string() }).optional(),
          headersSize: size,
          bodySize: size,
        }),
        response: har({
          status: z.int(),
          statusText: z.string(),
          httpVersion: z.string().min(1),
          cookies: z.array(z.unknown()),
          headers: pairs,
          content: har({
            size,
            mimeType: z.string(),
            text: z.string().optional(),
            encoding: z.literal("base64").optional(),
          }),
          redirectURL: z.string(),
          headersSize: size,
          bodySize: size,
        }),
        cache: z.strictObject({}),
        timings: har({ send: z.number().min(0), wait: z.number().min(0), receive: z.number().min(0) }),
      }).refine(({ time, timings }) => time === timings.send + timings.wait + timings.receive, "time is the sum"),
    ),
  }),
});

test.each(["spot-switch", "compliance-regression", "real-mode-refused"])("the archives of %s", async (name) => {
  const story = readScenario(join(packageRoot(), "fixtures", "scenarios", `${name}.yaml`));
  let entries = 0;
  await playScenario(story, {
    async around(suite, play) {
      await suite.evidence.start();
      const { files } = await suite.evidence.stop((await play()).results);
      for (const [path, bytes] of files) {
        if (!path.endsWith(".har")) continue;
        const { data, error } = Archive.safeParse(JSON.parse(bytes.toString("utf8")));
        expect(error && z.prettifyError(error), path).toBeUndefined();
        const times = data?.log.entries.map(({ startedDateTime }) => startedDateTime) ?? [];
        if (!path.startsWith("volatile/")) expect(times, path).toEqual([...times].sort());
        entries += times.length;
      }
    },
  });
  expect(entries).toBeGreaterThan(8);
});
