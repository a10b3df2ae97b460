import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createClock, parseClock } from "../../emulators/kernel/clock.ts";
import { createIds } from "../../emulators/kernel/ids.ts";
import { createTimers } from "../../emulators/kernel/timers.ts";

describe("clock", () => {
  test.each([
    ["real", { mode: "real" }],
    ["frozen", { mode: "frozen" }],
    ["frozen@2025-01-15T12:00:00Z", { mode: "frozen", at: 1_736_942_400_000 }],
    ["ticking@2025-01-15T12:00:00Z", { mode: "ticking", at: 1_736_942_400_000 }],
    ["real@2025-01-15T12:00:00Z", undefined],
    ["frozen@soon", undefined],
    ["stopped", undefined],
  ])("parses %s", (text, expected) => expect(parseClock(text)).toEqual(expected));

  test("two ticking clocks with one anchor show one time", () => {
    const setting = { mode: "ticking", at: 1_000, anchor: Date.now() - 5_000 } as const;
    const [left, right] = [createClock(setting, 1), createClock(setting, 1)];
    expect(Math.abs(left.now() - right.now())).toBeLessThan(50);
    expect(left.now()).toBeGreaterThanOrEqual(6_000);
  });

  test("a real clock that is advanced runs on, ahead", () => {
    const clock = createClock({ mode: "real" }, 1);
    clock.moveTo(clock.now() + 600_000);
    expect(clock.mode).toBe("ticking");
    expect(clock.now() - clock.wall()).toBeGreaterThan(599_000);
  });
});

describe("timers", () => {
  const timer = fc.record({
    kind: fc.constantFrom("a", "b"),
    subject: fc.string({ maxLength: 3 }),
    due: fc.integer({ min: 0, max: 50 }),
    cancel: fc.boolean(),
  });
  test("fire in the order of due, kind and subject, whatever the order they were scheduled in", () => {
    fc.assert(
      fc.property(fc.array(timer, { maxLength: 60 }), (plan) => {
        const timers = createTimers(createClock({ mode: "frozen", at: 0 }, 1));
        const expected = new Map<string, { due: number; kind: string; subject: string }>();
        for (const { kind, subject, due, cancel } of plan) {
          if (cancel) {
            timers.cancel(kind, subject);
            expected.delete(`${kind} ${subject}`);
          } else {
            timers.schedule({ kind, subject, due });
            expected.set(`${kind} ${subject}`, { kind, subject, due });
          }
        }
        const byOrder = [...expected.values()].sort(
          (x, y) =>
            x.due - y.due || (x.kind < y.kind ? -1 : x.kind > y.kind ? 1 : 0) || (x.subject < y.subject ? -1 : 1),
        );
        expect(timers.nextDue()).toBe(byOrder[0]?.due);
        expect(timers.takeDue(50, 1_000).map(({ kind, subject, due }) => ({ kind, subject, due }))).toEqual(
          byOrder.map(({ kind, subject, due }) => ({ kind, subject, due })),
        );
        expect(timers.size).toBe(0);
      }),
    );
  });
});

describe("ids", () => {
  test("the same contents get the same ids in any order", () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.tuple(fc.string(), fc.string()), { minLength: 1, maxLength: 20 })
          .chain((contents) =>
            fc.tuple(fc.constant(contents), fc.shuffledSubarray(contents, { minLength: contents.length })),
          ),
        ([contents, shuffled]) => {
          const derive = (all: readonly (readonly [string, string])[]) => {
            const ids = createIds("seed");
            return all.map((content) => ids.derive("thing", content).hex(32)).sort();
          };
          expect(derive(shuffled)).toEqual(derive(contents));
        },
      ),
    );
  });

  test("parts are not confused with one another", () => {
    const ids = createIds("seed");
    const of = (...parts: (string | undefined | null)[]) => ids.fixed("thing", parts).hex(32);
    expect(
      new Set([
        of("ab", "c"),
        of("a", "bc"),
        of("abc"),
        of("abc", undefined),
        of("abc", "undefined"),
        of("abc", null),
        of("abc", "null"),
      ]).size,
    ).toBe(7);
    expect(createIds("other").fixed("thing", ["abc"]).hex(32)).not.toBe(of("abc"));
  });

  test("forms", () => {
    const id = createIds("seed").fixed("thing", ["x"]);
    expect(id.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(id.text(22, "ab")).toMatch(/^[ab]{22}$/);
    expect(id.unit()).toBeGreaterThanOrEqual(0);
    expect(id.unit()).toBeLessThan(1);
  });
});
