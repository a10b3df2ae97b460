/** A provider that does not exist, small enough to see the kernel at work. */
import { Hono } from "hono";
import * as z from "zod";
import type { Emulator, KernelEnv, ProviderErrors, Runtime } from "../../emulators/kernel/emulator.ts";
import { answerJson } from "../../emulators/kernel/exchange.ts";
import type { Database } from "../../emulators/kernel/state.ts";

interface Note {
  readonly id: string;
  readonly text: string;
  readonly status: string;
}

interface Notes {
  add(note: Note): void;
  get(id: string): Note | undefined;
  setStatus(id: string, status: string, at: number): void;
  count(): number;
}

class NoteError extends Error {}

const errors: ProviderErrors = {
  notFound: (x) => answerJson(x, 404, { note_error: "not found" }),
  methodNotAllowed: (x, allowed) => answerJson(x, 405, { note_error: `use ${allowed.join(", ")}` }),
  tooLarge: (x, limit) => answerJson(x, 413, { note_error: `larger than ${limit}` }),
  throttled: (x, seconds) =>
    answerJson(x, 429, { note_error: `again in ${seconds}` }, { "retry-after": String(seconds) }),
  unavailable: (x, refused) =>
    answerJson(x, 503, { note_error: refused.hint, required: refused.required, missing: refused.missing }),
  unexpected: (x, incident) => answerJson(x, 500, { note_error: incident }),
  fault: (x, { status, code, message }) => answerJson(x, status, { note_error: message ?? `planned ${status}`, code }),
  thrown: (x, cause) => (cause instanceof NoteError ? answerJson(x, 400, { note_error: cause.message }) : undefined),
};

const Create = z.object({ text: z.string().min(1), callback: z.string().optional() });

export const example: Emulator<Notes, { notes: string[] }> = {
  name: "notes",
  title: "Notes",
  provides: "notes",
  hosts: ["notes.example.test", "*.notes.example.test"],
  http: [
    {
      name: "notes",
      ports: [{ setting: "twilioPort", tls: false }],
      sites: (runtime) => [
        { hosts: ["notes.example.test", "*.notes.example.test"], routes: routes(runtime), errors },
        { hosts: ["archive.example.test"], prefix: "archive", routes: archive(), errors },
      ],
    },
  ],
  tables:
    "CREATE TABLE IF NOT EXISTS notes (id TEXT PRIMARY KEY, arrival INTEGER, text TEXT NOT NULL, status TEXT NOT NULL, changed_at INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;",
  open(db: Database): Notes {
    const insert = db.prepare(
      "INSERT INTO notes (id, arrival, text, status) VALUES (?, (SELECT count(*) FROM notes), ?, ?)",
    );
    const one = db.prepare("SELECT id, text, status FROM notes WHERE id = ?");
    const status = db.prepare("UPDATE notes SET status = ?, changed_at = ? WHERE id = ?");
    const count = db.prepare("SELECT count(*) FROM notes").pluck();
    return {
      add: (note) => void insert.run(note.id, note.text, note.status),
      get: (id) => one.get(id) as Note | undefined,
      setStatus: (id, next, at) => void status.run(next, at, id),
      count: () => count.get() as number,
    };
  },
  seed: {
    file: "../../tests/support/example-seed.yaml",
    form: async () => z.strictObject({ notes: z.array(z.string()) }),
    apply(seed, runtime) {
      for (const text of seed.notes)
        runtime.state.add({ id: runtime.ids.derive("note", [text]).hex(16), text, status: "kept" });
    },
  },
  timers: {
    "note.keep": (runtime, timer) => {
      runtime.state.setStatus(timer.subject, "kept", timer.due);
      runtime.outbox.emit({
        type: "note.kept",
        subject: timer.subject,
        occurredAt: timer.due,
        data: { id: timer.subject },
      });
    },
  },
  health: [{ name: "store", check: (runtime) => void runtime.state.count(), hint: "restart" }],
  real: { service: "Notes", required: [{ env: "NOTES_TOKEN", about: "token", example: "abc" }], docs: "#real-mode" },
  environment: (_, addresses) => ({ NOTES_URL: `http://127.0.0.1:${addresses[0]?.port}` }),
  capabilities: [],
};

function routes(runtime: Runtime<Notes>): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  app.post("/notes", (c) => {
    const { exchange } = c.env;
    const parsed = Create.safeParse(parse(exchange.body));
    if (!parsed.success) throw new NoteError("a note needs a text");
    const { text } = parsed.data;
    const id = runtime.store.write(() => {
      const made = runtime.ids.derive("note", [text]).hex(16);
      runtime.state.add({ id: made, text, status: "new" });
      runtime.timers.schedule({
        kind: "note.keep",
        subject: made,
        due: runtime.clock.now() + runtime.clock.paced(10_000),
      });
      runtime.outbox.emit({
        type: "note.created",
        subject: made,
        occurredAt: runtime.clock.now(),
        data: { id: made, text },
      });
      if (text === "fail half-way") throw new NoteError("this one fails after its insert");
      return made;
    });
    return answerJson(exchange, 201, { id, text });
  });
  app.get("/notes/:id", (c) => {
    const note = runtime.state.get(c.req.param("id"));
    return note ? answerJson(c.env.exchange, 200, note) : errors.notFound(c.env.exchange);
  });
  app.get("/count", (c) =>
    answerJson(c.env.exchange, 200, { count: runtime.state.count(), base: c.env.exchange.base }),
  );
  app.get("/broken", () => {
    throw new TypeError("secret internals");
  });
  return app;
}

function archive(): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  app.get("/boxes", (c) => answerJson(c.env.exchange, 200, { base: c.env.exchange.base }));
  return app;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
