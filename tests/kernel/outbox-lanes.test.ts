import fc from "fast-check";
import { expect, test } from "vitest";
import { createFifo } from "../../emulators/kernel/fifo.ts";
import { createLanes, type Waiting } from "../../emulators/kernel/outbox-lanes.ts";

const entry = (id: string, lane = id, target = "t", due = 0): Waiting => ({ id, lane, target, due });

function lanesAt(now: { value: number }, limit = 4, mostInFlight = 100) {
  const postponed: string[] = [];
  const lanes = createLanes({
    mostInFlight,
    limitOf: () => limit,
    postpone(waiting) {
      if (waiting.due <= now.value) return false;
      postponed.push(waiting.id);
      return true;
    },
  });
  return { lanes, postponed };
}

test("woken again while it is ready or under way, an entry goes once and its successor stays", () => {
  const { lanes } = lanesAt({ value: 0 });
  const [head, next] = [entry("a", "lane"), entry("b", "lane")];
  lanes.admit(head);
  lanes.admit(next);
  lanes.wake("a");
  lanes.wake("b");
  expect(lanes.ready).toBe(1);
  expect(lanes.take()).toBe(head);
  expect(lanes.take()).toBeUndefined();
  lanes.leave(head);
  lanes.leave(head);
  lanes.land(head);
  expect(lanes.take()).toBe(next);
  expect([lanes.waiting, lanes.ready, lanes.inFlight]).toEqual([1, 0, 1]);
});

test("what comes while an attempt is under way is not lost", () => {
  const { lanes } = lanesAt({ value: 0 });
  const one = entry("a");
  lanes.admit(one);
  lanes.take();
  lanes.wake("a");
  expect(lanes.ready).toBe(0);
  lanes.land(one);
  expect(lanes.take()).toBe(one);
});

test("targets take turns, and one that is full holds up nobody else", () => {
  const { lanes } = lanesAt({ value: 0 }, 1);
  for (const target of ["x", "x", "x", "y", "z"]) lanes.admit(entry(`${target}${lanes.waiting}`, undefined, target));
  const taken = [lanes.take(), lanes.take(), lanes.take()];
  expect(taken.map((one) => one?.target)).toEqual(["x", "y", "z"]);
  expect(lanes.take()).toBeUndefined();
  const [first] = taken;
  if (first) lanes.land(first);
  expect(lanes.take()?.target).toBe("x");
});

test("whatever happens in whatever order, each entry ends once and every lane keeps its order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ lane: fc.nat(3), target: fc.nat(1), due: fc.nat(3) }), { minLength: 1, maxLength: 20 }),
      fc.infiniteStream(fc.record({ what: fc.nat(4), which: fc.nat(30) })),
      fc.integer({ min: 1, max: 3 }),
      (wanted, steps, limit) => {
        const now = { value: 0 };
        const { lanes } = lanesAt(now, limit, 4);
        const entries = wanted.map(({ lane, target, due }, n) => entry(`${n}`, `${target} ${lane}`, `${target}`, due));
        const queue = [...entries];
        const flying: Waiting[] = [];
        const ended: string[] = [];
        for (let n = 0; ended.length < entries.length && n < 5_000; n += 1) {
          const { what, which } = steps.next().value;
          const admitted = queue[0];
          if (what === 0 && admitted) {
            lanes.admit(admitted);
            queue.shift();
          } else if (what === 1) {
            now.value += 1;
            for (const { id, due } of entries)
              if (due <= now.value && !queue.some((one) => one.id === id)) lanes.wake(id);
          } else if (what === 2) {
            const taken = lanes.take();
            if (taken) flying.push(taken);
          } else {
            const [landed] = flying.splice(which % Math.max(1, flying.length), 1);
            if (!landed) continue;
            lanes.land(landed);
            if (which % 3 === 0)
              lanes.wake(landed.id); // a try that failed
            else {
              lanes.leave(landed);
              ended.push(landed.id);
            }
            if (which % 3 === 0) continue;
          }
          expect(new Set(flying).size).toBe(flying.length);
          for (const target of ["0", "1"])
            expect(flying.filter((one) => one.target === target).length).toBeLessThanOrEqual(limit);
        }
        expect([...ended].sort()).toEqual(entries.map(({ id }) => id).sort());
        for (const { lane } of entries) {
          const order = ended.map((id) => entries[Number(id)]).filter((one) => one?.lane === lane);
          expect(order).toEqual(entries.filter((one) => one.lane === lane));
        }
        expect([lanes.waiting, lanes.ready, lanes.inFlight]).toEqual([0, 0, 0]);
      },
    ),
    { numRuns: 200 },
  );
});

test("a queue gives back what it was given, in order, however it grows and shrinks", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (steps) => {
      const [queue, model]: [ReturnType<typeof createFifo<number>>, number[]] = [createFifo(), []];
      for (const [n, push] of steps.entries()) {
        if (push) {
          queue.push(n);
          model.push(n);
        } else expect(queue.shift()).toBe(model.shift());
        expect([queue.size, queue.first]).toEqual([model.length, model[0]]);
      }
    }),
  );
});
