import { expect, onTestFinished, test } from "vitest";
import { type Example, noon, startExample } from "../support/example.ts";
import { startReceiver } from "../support/receiver.ts";

const save = ({ call }: Example, name: string) => call("POST", "/_backlot/snapshots", { name });
const restore = ({ call }: Example, name: string) => call("POST", `/_backlot/snapshots/${name}/restore`);

test("save, list, restore and delete", async () => {
  const example = await startExample();
  await example.note("kept");
  const digest = example.emulator.digest();
  expect(await save(example, "before")).toMatchObject({
    status: 201,
    body: { name: "before", savedAt: "2025-01-15T12:00:00.000Z", digest },
  });
  const lost = await example.note("lost");
  await example.emulator.advance(noon + 60_000);
  expect(await restore(example, "before")).toMatchObject({
    status: 200,
    body: { status: "restored", digest, now: "2025-01-15T12:00:00.000Z" },
  });
  expect((await example.call("GET", `/notes/${lost}`)).status).toBe(404);
  expect((await example.call("GET", "/_backlot/snapshots")).body).toEqual({
    snapshots: [{ name: "before", savedAt: "2025-01-15T12:00:00.000Z", digest }],
  });
  expect((await example.call("DELETE", "/_backlot/snapshots/before")).status).toBe(204);
  for (const gone of [await restore(example, "before"), await example.call("DELETE", "/_backlot/snapshots/before")])
    expect(gone).toMatchObject({ status: 404, body: { error: "no_such_snapshot" } });
  expect((await save(example, "no spaces here")).status).toBe(400);
});

test("saved again under its name, a snapshot is replaced; a reset leaves snapshots alone", async () => {
  const example = await startExample();
  await save(example, "s");
  await example.note("more");
  const digest = example.emulator.digest();
  await save(example, "s");
  await example.call("POST", "/_backlot/reset");
  expect(await restore(example, "s")).toMatchObject({ status: 200, body: { digest } });
});

test("a restore or reset under load leaves one state or the other, never half of one", async () => {
  const example = await startExample({ BACKLOT_PACE: "0" });
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  await example.call("POST", "/_backlot/webhooks/endpoints", { url: receiver.url });
  await example.note("kept");
  await example.emulator.advance(noon);
  const { digest } = (await save(example, "calm")).body as { digest: string };
  const fresh = async () => {
    await restore(example, "calm");
    return example.emulator.digest();
  };
  for (let round = 0; round < 6; round += 1) {
    let stop = false;
    const answers: number[] = [];
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; !stop; n += 1)
        answers.push((await example.call("POST", "/notes", { text: `${round}.${writer}.${n}` })).status);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const call = round % 2 === 0 ? restore(example, "calm") : example.call("POST", "/_backlot/reset");
    expect((await call).body).toMatchObject({ digest: expect.any(String) });
    stop = true;
    await Promise.all(writers);
    expect(new Set(answers)).toEqual(new Set([201]));
    expect(await fresh()).toBe(digest);
  }
  expect(example.emulator.runtime.journal.read({ matches: (entry) => entry.kind === "incident" })).toEqual([]);
});

test("a restore, reset, save or digest in the very turn in which a write and its webhook commit", async () => {
  const example = await startExample();
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  await example.call("POST", "/_backlot/webhooks/endpoints", { url: receiver.url });
  await save(example, "calm");
  const { emulator } = example;
  const { store, outbox } = emulator.runtime;
  const emit = () =>
    store.write(() => outbox.emit({ type: "note.kept", subject: "n", occurredAt: noon, data: { id: "n" } }));
  for (const act of [
    () => store.snapshots.restore("calm"),
    () => store.snapshots.save("busy"),
    () => store.digest(),
    () => store.keepPristine(),
    () => emulator.reset(),
  ]) {
    emit();
    expect(act).not.toThrow();
    await outbox.idle();
  }
});
