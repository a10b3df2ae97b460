import { describe, expect, test } from "vitest";
import { headerSection } from "../../emulators/smtp/domain/headers.ts";
import { linesOfPage } from "../../emulators/smtp/domain/html-lines.ts";
import { plainOfHtml } from "../../emulators/smtp/domain/html-plain.ts";
import { textOfHtml, textWithAddresses } from "../../emulators/smtp/domain/html-text.ts";
import { codesOf, linksOf, resourcesOf } from "../../emulators/smtp/domain/links.ts";
import { readListUnsubscribe } from "../../emulators/smtp/domain/list-unsubscribe.ts";
import { magicOf } from "../../emulators/smtp/domain/magic.ts";
import { structureOf } from "../../emulators/smtp/domain/mime-structure.ts";
import { stepsOf } from "../../emulators/smtp/domain/outcome.ts";
import { parseMail } from "../../emulators/smtp/domain/parse-mail.ts";
import { tagsOfMessage } from "../../emulators/smtp/domain/tags.ts";

const crlf = (text: string) => Buffer.from(text.replaceAll("\n", "\r\n"));

test("codes: those beside words that speak of one come first; links, dates and phone numbers are none", () => {
  const codes = (text: string) => codesOf({ subject: "", html: "", text }).map(({ code }) => code);
  expect(codes("Order 20250115\nYour verification code is 493817.")).toEqual(["493817", "20250115"]);
  expect(codes("Use 123-456 to log in")).toEqual(["123456"]);
  expect(codes("PIN: AB12CD")).toEqual(["AB12CD"]);
  expect(codes("See https://x.test/123456 or mail 123456@x.test")).toEqual([]);
});

test("links: HTML first with its text, then plain text, each once", () => {
  expect(
    linksOf({
      html: `<a class=x href='https://a.test/?b=1&amp;c=2'>Go <b>th</b>ere<br>now<a href="#top">top</a>`,
      text: "https://a.test/?b=1&c=2 and (https://b.test/x).",
    }),
  ).toEqual([
    { url: "https://a.test/?b=1&c=2", text: "Go there now", source: "html" },
    { url: "https://b.test/x", text: "", source: "text" },
  ]);
});

test.each([
  ["<div>a</div><div>b<div>c</div></div>x", "a\nb\nc\nx"],
  [
    "<ul><li>one<li>two<ul><li>deep</ul></ul><p>p1<p>p2<br>x <b>bold</b>",
    "* one\n* two\n\n* deep\n\np1\n\np2\nx *bold*",
  ],
  [
    "<h2>Title</h2>a<h3>Sub</h3><blockquote>q<br>r</blockquote>",
    "-----\nTitle\n-----\n\na\n\nSub\n---\n\n> \n> q\n> r",
  ],
  ["<table><tr><td>a<td>b<tr><td>c</table>", "a b c"],
  ["<a href=mailto:x@y.z><img alt=Pic></a> 1 < 2 <style>p{}</style><!-- no --><script>no()", "Pic ( x@y.z ) 1 < 2"],
  ["<p>open <a href='https://x.test", "open"],
])("the text of %s", (html, text) => expect(plainOfHtml(html)).toBe(text));

test.each([
  ["<h1>Hello</h1><p>x<br>y <a href='https://x.test?a&amp;b'>go</a>", "HELLO\n\nx\ny go [https://x.test?a&b]"],
  ["<ul><li>one<li>two</ul>a<div>b</div><constructor>c", " * one\n * two\n\na\nb\nc"],
  ["<blockquote>q<br>r</blockquote><hr>", `> q\n> r\n\n${"-".repeat(80)}`],
  [`<p>${"word ".repeat(17)}`, `${"word ".repeat(16).trim()}\nword`],
])("the lines of %s", (html, text) => expect(linesOfPage(html)).toBe(text));

test("no page takes long to read, however it is broken", () => {
  for (const piece of ["<a ", "<p>", "<div>", "<!--", "<!", "<", "<style>", "<a b='", "<a href='http://x.test'>"]) {
    const started = performance.now();
    const html = piece.repeat(50_000);
    plainOfHtml(html);
    textWithAddresses(html);
    linksOf({ html, text: "" });
    resourcesOf({ html, text: "" });
    linesOfPage(html);
    expect(performance.now() - started).toBeLessThan(5_000);
  }
});

test("letters with accents are read in either case", () => {
  expect(textOfHtml("&Uuml;ber f&uuml;r Stra&szlig;e caf&eacute; &AMP; &nbsp;&unknown;")).toBe(
    "Über für Straße café & &unknown;",
  );
});

test.each([
  ["<mailto:a@x.test>", ["mailto:a@x.test"], ""],
  ["https://x.test", [], "no valid unsubscribe links"],
  ["<ftp://x.test>", [], "should start with"],
  ["<https://x.test> <mailto:a@x.test>", [], "split with a comma"],
])("List-Unsubscribe %s", (header, links, error) => {
  const read = readListUnsubscribe(header, undefined);
  expect(read.links).toEqual(links);
  expect(read.errors).toContain(error);
});

test("tags: X-Tags and plus addresses, each once", () => {
  const raw = crlf("To: Bob <bob+News@x.test>, c+news@x.test\nX-Tags: a b, bad/tag, Z\n\nx\n");
  expect(tagsOfMessage(headerSection(raw), ["hidden+list@x.test"])).toEqual(["a b", "list", "News", "Z"]);
  expect(tagsOfMessage(headerSection(crlf("To: bob@x.test\n\na+b@c\n")), [])).toEqual([]);
});

test("the tree of parts is numbered as Mailpit numbers it", () => {
  const data =
    "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\nx\n--i\nContent-Type: text/html\n\nx\n--i--\n--o\nContent-Type: image/png\nContent-Disposition: attachment\n\nx\n--o--\n";
  expect(structureOf(data).leaves.map(({ partId, contentType }) => `${partId} ${contentType}`)).toEqual([
    "1.1 text/plain",
    "1.2 text/html",
    "2 image/png",
  ]);
});

describe("an attachment has the bytes that were sent", () => {
  const attached = async (head: string, body: string) => {
    const mixed = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n${head}Content-Disposition: attachment; filename=f\r\n\r\n`;
    const mail = await parseMail(Buffer.from(`${mixed}${body}\r\n--b--\r\n`, "latin1"));
    return mail.parts.map(({ content }) => Buffer.from(content).toString("latin1"));
  };

  test.each([
    ["7bit", "Content-Type: text/csv\r\n", "a,b\r\nc,d\r\n", "a,b\r\nc,d\r\n"],
    ["no last line end", "Content-Type: text/csv\r\n", "a,b\nc,d", "a,b\nc,d"],
    ["8bit", "Content-Type: text/plain; charset=latin1\r\nContent-Transfer-Encoding: 8bit\r\n", "caf\xe9", "caf\xe9"],
    [
      "quoted-printable",
      "Content-Type: text/csv\r\nContent-Transfer-Encoding: Quoted-Printable\r\n",
      "caf=E9,=\r\n=3D \r\nx=",
      "caf\xe9,=\r\nx",
    ],
    ["a calendar", "Content-Type: application/ics\r\nContent-Transfer-Encoding: base64\r\n", "QkVHSU4=", "BEGIN"],
    ["a message", "Content-Type: message/rfc822\r\n", "Subject: x\r\n\r\ny\r\n", "Subject: x\r\n\r\ny\r\n"],
    ["nothing", "Content-Type: text/csv\r\n", "", ""],
  ])("%s", async (_, head, body, content) => expect(await attached(head, body)).toEqual([content]));

  test("alone, and before a boundary that closes what holds it", async () => {
    const alone = await parseMail(crlf("Content-Type: text/csv; name=f.csv\n\na,b\nc,d\n"));
    expect(alone.parts.map(({ content }) => String(content))).toEqual(["a,b\r\nc,d\r\n"]);
    const held = await parseMail(
      crlf(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/related; boundary=i\n\n--i\nContent-Type: text/css\n\na\nb\n--o\nContent-Type: text/css\n\nc\n--o--\n",
      ),
    );
    expect(held.parts.map(({ content }) => String(content))).toEqual(["a\r\nb", "c"]);
  });
});

describe("a simple message reads as the parser would read it", () => {
  test.each([
    [
      "plain",
      "From: Ann <a@x.test>\nTo: b@x.test, C <c@x.test>\nSubject: =?utf-8?q?a=20b?=\n folded\nDate: Wed, 15 Jan 2025 12:00:00 +0000\n\nhi\n\nthere\n",
    ],
    [
      "base64",
      "Subject: x\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nR3LDvMOfZQ==\n",
    ],
    ["html", 'Subject: x\nContent-Type: text/html; charset="utf-8"\n\n<p>x</p>\n'],
    ...[
      "a@x.test",
      "<a@x.test>",
      "A B <a+c@x-y.test>",
      "A_1 <a.b@x.test>",
      "A  B <a@x.test>",
      "a@x",
      "<a@>",
      "A <a@x> b",
    ].map((address): [string, string] => [address, `From: ${address}\nTo: ${address}\n\nx\n`]),
  ])("%s", async (_, text) => {
    const simple = await parseMail(crlf(text));
    // A comment in the type sends the same message through the whole parser.
    const whole = await parseMail(
      crlf(
        text.includes("Content-Type")
          ? text.replace(/charset=("?)utf-8\1/, "charset=utf-8; x=y")
          : text.replace("\n\n", "\nContent-Type: text/plain; x=y\n\n"),
      ),
    );
    expect({ ...simple, headers: [], asSent: undefined }).toEqual({ ...whole, headers: [] });
  });
});

test.each([
  ["bounce+550@magic.test", { tag: "refuse", stage: "rcpt", code: 550 }],
  ["defer+451x2@a.magic.test", { tag: "refuse", code: 451, times: 2 }],
  ["slow+7s@magic.test", { tag: "slow", stage: "rcpt", ms: 7000 }],
  ["async@magic.test", { tag: "outcome", outcome: { life: "bounced", status: "5.1.1" } }],
  ["complained+x@resend.dev", { tag: "outcome", outcome: { life: "complained" } }],
  ["Hard_Bounce@bounce-testing.postmarkapp.com", { tag: "outcome", outcome: { life: "bounced" } }],
])("%s", (address, magic) => expect(magicOf(address, ["*.magic.test"])).toMatchObject(magic));

test("addresses elsewhere are only addresses", () => {
  for (const address of [
    "bounce+550@example.org",
    "delivered@resend.dev",
    "someone@magic.test",
    "bounce@notmagic.test",
  ])
    expect(magicOf(address, ["*.magic.test"])).toBeUndefined();
});

test("a deferred life ends delivered, each wait twice the last", () => {
  expect(stepsOf({ life: "deferred", deferrals: 2 }).map(({ type, afterMs }) => `${type} ${afterMs}`)).toEqual([
    "email.deferred 1000",
    "email.deferred 2000",
    "email.delivered 4000",
  ]);
});
