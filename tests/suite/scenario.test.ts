import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { playScenario } from "../../emulators/suite/evidence/scenario/run.ts";
import { readScenario, Scenario } from "../../emulators/suite/evidence/scenario/schema.ts";
import { temporaryFolder } from "../support/command.ts";

const folder = join(packageRoot(), "fixtures", "scenarios");
const shipped = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

describe("the shipped scenarios", () => {
  test.each(shipped)("%s plays to its end", async (file) => {
    const scenario = readScenario(join(folder, file));
    expect(`${scenario.name}.yaml`).toBe(file);
    const { results, passed } = await playScenario(scenario);
    expect(results.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(passed).toBe(true);
  });
});

describe("a scenario that is wrong", () => {
  const good = { name: "wrong", title: "Wrong", clock: "2026-01-01T00:00:00Z", only: ["smtp"] };

  test("says where: an unknown key, a step with two actions, a step with none", () => {
    const path = join(temporaryFolder(), "wrong.yaml");
    writeFileSync(
      path,
      JSON.stringify({
        ...good,
        colour: "red",
        steps: [{ name: "both", mode: "real", advance: { hours: 1 } }, { name: "none" }],
      }),
    );
    expect(() => readScenario(path)).toThrow(
      /colour[\s\S]*does one of http, [\s\S]*at steps\[0\][\s\S]*does one of http, [\s\S]*at steps\[1\]/,
    );
    expect(() => readScenario(join(folder, "absent.yaml"))).toThrow(/absent\.yaml cannot be read/);
  });

  test("of a step among independent ones it says what is wrong, too", () => {
    const path = join(temporaryFolder(), "wrong.yaml");
    const steps = [{ independent: [{ name: "one", htp: { path: "/" } }] }, { name: "two", advance: { hours: "1" } }];
    writeFileSync(path, JSON.stringify({ ...good, steps }));
    expect(() => readScenario(path)).toThrow(
      /"htp"[\s\S]*steps\[0\]\.independent\[0\][\s\S]*expected number[\s\S]*steps\[1\]\.advance\.hours/,
    );
  });

  test("a failing step ends the story and tells what came instead", async () => {
    const scenario = Scenario.parse({
      ...good,
      steps: [
        { name: "one", control: { path: "/health" }, expect: { status: 200 }, save: { mode: "mode" } },
        {
          name: "two",
          control: { path: "/health" },
          expect: { status: 201, json: { mode: "/^re/", checks: { smtp: { status: "sick" } } } },
        },
        { name: "three", advance: { hours: 1 } },
      ],
    });
    const { results, passed } = await playScenario(scenario);
    expect(passed).toBe(false);
    expect(results.map(({ name }) => name)).toEqual(["one", "two"]);
    expect(results[1]?.failure).toMatch(
      /status 200, not 201; answer\.mode: "mock", not \/\^re\/; answer\.checks\.smtp\.status: "healthy", not sick/,
    );
  });

  test("an unknown variable is named with those there are", async () => {
    const scenario = Scenario.parse({
      ...good,
      steps: [{ name: "one", control: { path: ["/_backlot/$", "{nothing}"].join("") } }],
    });
    const { results } = await playScenario(scenario);
    expect(results[0]?.failure).toMatch(/\$\{nothing\} is not known here; there are clock, env\./);
  });
});
