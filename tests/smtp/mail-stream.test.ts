import fc from "fast-check";
import { expect, test } from "vitest";
import { MailStream } from "../../emulators/smtp/protocol/mail-stream.ts";
import { dotStuffed } from "./raw-client.ts";

/** Feeds the wire in pieces and answers with the content and what followed it. */
async function read(wire: Buffer, cuts: readonly number[]): Promise<{ content: Buffer; command: string }> {
  const stream = new MailStream({});
  const content: Buffer[] = [];
  const command = new Promise<string>((resolve) => {
    stream.oncommand = (line) => resolve(line.toString());
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
