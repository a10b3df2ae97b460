import { once } from "node:events";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MailStream } from "../../emulators/smtp/protocol/mail-stream.ts";
import { dotStuffed } from "./raw-client.ts";

/** Feeds the wire in pieces and answers with the content and what followed it. */
async function read(wire: Buffer, cuts: readonly number[]): Promise<{ content: Buffer; command: string }> {
  const stream = new MailStream({});
  const content: Buffer[] = [];
  const command = new Promise<string>((resolve) => {
    stream.onLine = resolve;
  });
  stream.receive({
    part: (bytes) => content.push(Buffer.from(bytes)),
    end(last) {
      content.push(Buffer.from(last));
      stream.resume();
    },
  });
  const bounds = [0, ...cuts.map((cut) => cut % (wire.length + 1)).sort((left, right) => left - right), wire.length];
  bounds.slice(1).forEach((to, index) => {
    stream.write(wire.subarray(bounds[index] ?? 0, to));
  });
  return { command: await command, content: Buffer.concat(content) };
}

/** Mostly the bytes on which a reader of DATA can go wrong. */
const fragment = fc.oneof(
  fc.constantFrom(".", "..", "\r", "\n", "\r\n", "\r\n.", ".\r", "\n.\n", "\n.\r\n", "\0", "a"),
  fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);
const message = fc
  .array(fragment, { maxLength: 30 })
  .map((fragments) => Buffer.from(fragments.join(""), "latin1"))
  // A client ends the content with CRLF before the final dot, except an empty one.
  .map((bytes) =>
    bytes.length === 0 || bytes.toString("latin1").endsWith("\r\n")
      ? bytes
      : Buffer.concat([bytes, Buffer.from("\r\n")]),
  );

test("whatever is sent dot-stuffed is read exactly, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(message, fc.array(fc.nat(), { maxLength: 12 }), async (content, cuts) => {
      const wire = Buffer.concat([dotStuffed(content), Buffer.from(".\r\nNEXT\r\n")]);
      const got = await read(wire, cuts);
      expect(got.content.equals(content)).toBe(true);
      expect(got.command).toBe("NEXT");
    }),
    { numRuns: 400 },
  );
});

test("the first dot of a line goes even when a client did not double it", async () => {
  const got = await read(Buffer.from("a\r\n.b\r\n.\rc\r\n.\r\nNEXT\r\n"), []);
  expect(got.content.toString()).toBe("a\r\nb\r\n\rc\r\n");
});

/** In a buffer of its own, as a socket brings it. */
function arrived(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

/** Reads mails that came one behind the other, each command and each mail answered at once or in a later turn. */
async function readPipelined(wire: Buffer, cuts: readonly number[], later: () => boolean): Promise<Buffer[]> {
  const stream = new MailStream({});
  const mails: Buffer[] = [];
  const answered = (goOn: () => void) => (later() ? setImmediate(goOn) : goOn());
  const finished = new Promise<void>((resolve) => {
    stream.onLine = (line, goOn) => {
      if (line.toString() === "QUIT") {
        resolve();
        return goOn();
      }
      const parts: Buffer[] = [];
      stream.receive({
        part: (bytes) => parts.push(Buffer.from(bytes)),
        end(last) {
          // What is left stays as it is until the mail is answered.
          answered(() => {
            mails.push(Buffer.concat([...parts, last]));
            stream.resume();
          });
        },
      });
      answered(goOn);
    };
  });
  const bounds = [0, ...cuts.map((cut) => cut % (wire.length + 1)).sort((left, right) => left - right), wire.length];
  for (const [index, to] of bounds.slice(1).entries()) {
    const goOn = stream.write(arrived(wire.subarray(bounds[index] ?? 0, to)));
    if (!goOn) await once(stream, "drain");
  }
  await finished;
  return mails;
}

test("pipelined mails are read in order and to the byte, whenever each is answered", async () => {
  const sizes = fc.constantFrom(0, 1, 300, 9_000, 70_000);
  const letters = fc.array(fc.tuple(message, sizes), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      letters,
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.infiniteStream(fc.boolean()),
      async (all, cuts, later) => {
        const contents = all.map(([content, size]) =>
          Buffer.concat([content, Buffer.from("x".repeat(size)), Buffer.from("\r\n")]),
        );
        const wire = contents.flatMap((content) => [
          Buffer.from("DATA\r\n"),
          dotStuffed(content),
          Buffer.from(".\r\n"),
        ]);
        const got = await readPipelined(
          Buffer.concat([...wire, Buffer.from("QUIT\r\n")]),
          cuts,
          () => later.next().value,
        );
        expect(got.map((mail) => mail.toString("latin1"))).toEqual(
          contents.map((content) => content.toString("latin1")),
        );
      },
    ),
    { numRuns: 200 },
  );
});
