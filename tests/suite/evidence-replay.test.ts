/** Recorded requests sent again: alike where nothing changed, and the first difference where something did. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { acceptanceText, judge } from "../../emulators/suite/evidence/acceptance.ts";
import { filesInMemory } from "../../emulators/suite/evidence/files.ts";
import { replayPack, replayScenario } from "../../emulators/suite/evidence/replay.ts";
import { playScenario } from "../../emulators/suite/evidence/scenario/run.ts";
import { readScenario } from "../../emulators/suite/evidence/scenario/schema.ts";
import { temporaryFolder } from "../support/command.ts";

const story = (name: string) => readScenario(join(packageRoot(), "fixtures", "scenarios", `${name}.yaml`));

async function recorded(name: string): Promise<string> {
  const folder = join(temporaryFolder(), "pack");
  await playScenario(story(name), {
    async around(suite, play) {
      await suite.evidence.start({ folder, scenario: { name, source: name } });
      await suite.evidence.stop((await play()).results);
    },
  });
  return folder;
}

test("requests alone: every answer is the recorded one, and a changed one is named field by field", async () => {
  const folder = await recorded("message-callbacks");
  const [twilio] = await replayPack(folder);
  expect(twilio).toEqual({ service: "twilio", requests: 26, same: 26, skipped: 0 });

  const har = join(folder, "http", "twilio.har");
  writeFileSync(
    har,
    readFileSync(har, "utf8").replace('"status":201', '"status":202').replace('"status":400', '"status":409'),
  );
  const [changed] = await replayPack(folder);
  expect(changed).toMatchObject({
    same: 24,
    firstDifference: {
      request: expect.stringMatching(/^POST http:\/\/twilio\.backlot\.test\//),
      fields: ["status: 202 -> 201"],
    },
  });
});

test("with the scenario what came by other ways comes again: the notice of an interruption", async () => {
  const folder = await recorded("spot-switch");
  for (const { requests, same } of await replayScenario(folder, story("spot-switch"))) expect(same).toBe(requests);
  const alone = (await replayPack(folder)).find(({ service }) => service === "ec2-spot");
  expect(alone?.firstDifference).toMatchObject({ fields: expect.arrayContaining(["status: 200 -> 404"]) });
  await expect(replayScenario(folder, story("bounce-storm"))).rejects.toThrow(/of the scenario spot-switch, not of/);
});

test("a pack that shows nothing meets no criterion of acceptance", () => {
  const criteria = judge(filesInMemory(new Map()), { viewersMs: [5], fingerprints: ["a", "b"] });
  expect(criteria.filter(({ passed }) => passed)).toEqual([]);
  expect(acceptanceText(criteria, [])).toMatch(/12 of 12 criteria are NOT met[\s\S]*Not taken: no Chromium/);
});
