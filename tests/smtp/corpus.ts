/** Messages that break mail readers, as they stand after dot-unstuffing; the same ones every time. */
const crlf = (text: string) => text.replaceAll("\n", "\r\n");
const multipart = (body: string, boundary = "b") =>
  crlf(`From: a@x.test\nSubject: m\nContent-Type: multipart/mixed; boundary="${boundary}"\n\n`) + body;

const written: readonly (readonly [name: string, wire: string])[] = [
  ["empty", "\r\n"],
  ["no header", crlf("\njust text\n")],
  ["no body", crlf("Subject: nothing\n")],
  ["header without colon", crlf("Subject x\nFrom y\n\nbody\n")],
  ["only dots", crlf(".\n..\n...\n")],
  ["bare line feeds", "Subject: lf\n\nbody\nmore\n.\nstill\n\r\n"],
  ["bare returns", "Subject: cr\r\n\r\na\rb\rc\r\n"],
  ["nul bytes", "Subject: n\0l\r\n\r\na\0b\0\r\n"],
  ["raw latin1 header", "Subject: Gr\xfc\xdfe\r\nFrom: J\xf6rg <j@x.test>\r\n\r\nx\r\n"],
  ["raw utf8 header", `${Buffer.from("Subject: 日本語 ✉\r\n").toString("latin1")}\r\nx\r\n`],
  ["broken encoded words", crlf("Subject: =?utf-8?B?!!!?= =?bogus?Q?=ZZ?= =?utf-8?X?a?= =?\n\nx\n")],
  [
    "iso-2022-jp",
    "Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$BF|K\\\x1b(B\r\n",
  ],
  ["unknown charset", crlf("Content-Type: text/plain; charset=klingon\n\nqapla\n")],
  ["broken base64", crlf("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n@@@ not base64 ===\n")],
  [
    "broken quoted printable",
    crlf("Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=ZZ=4 =\n=\n"),
  ],
  ["unknown transfer encoding", crlf("Content-Transfer-Encoding: x-magic\n\nx\n")],
  ["multipart without boundary", crlf("Content-Type: multipart/mixed\n\n--\nx\n----\n")],
  ["multipart with empty boundary", crlf('Content-Type: multipart/mixed; boundary=""\n\n--\nx\n')],
  ["multipart never opened", multipart("no parts here\r\n")],
  ["multipart never closed", multipart(crlf("--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n"))],
  ["multipart closed first", multipart(crlf("--b--\n--b\n\nlate\n--b--\n"))],
  ["boundary with odd signs", multipart(crlf("--a'()+_,-./:=?\n\nx\n--a'()+_,-./:=?--\n"), "a'()+_,-./:=?")],
  [
    "same boundary inside",
    multipart(crlf('--b\nContent-Type: multipart/alternative; boundary="b"\n\n--b\n\nx\n--b--\n--b--\n')),
  ],
  ["boundaries that begin alike", multipart(crlf("--bb\n\nx\n--b\n\ny\n--bbb--\n--b--\n"))],
  ["thousand and one parts", multipart(`${"--b\r\n\r\nx\r\n".repeat(1001)}--b--\r\n`)],
  ["many parts, no header ends", multipart("--b\r\n".repeat(5000))],
  ["huge line", `Subject: long\r\n\r\n${"x".repeat(300_000)}\r\n`],
  ["huge header", `Subject: ${"y".repeat(200_000)}\r\n\r\nx\r\n`],
  ["many headers", `${Array.from({ length: 5000 }, (_, n) => `X-${n}: v`).join("\r\n")}\r\n\r\nx\r\n`],
  ["endless folding", `Subject: a\r\n${" b\r\n".repeat(20_000)}\r\nx\r\n`],
  [
    "many addresses",
    `To: ${Array.from({ length: 3000 }, (_, n) => `"N ${n}" <n${n}@x.test>`).join(", ")}\r\n\r\nx\r\n`,
  ],
  [
    "broken addresses",
    crlf(
      'From: <<a@@x>>, "unclosed <b@x.test\nTo: group: a@x.test, b@x.test;, (comment (nested)) c@x.test\nCc: ,,,;;\n\nx\n',
    ),
  ],
  [
    "duplicate headers",
    crlf("Subject: one\nSubject: two\nContent-Type: text/plain\nContent-Type: text/html\n\n<p>x\n"),
  ],
  ["forwarded message", multipart(crlf("--b\nContent-Type: message/rfc822\n\nSubject: inner\n\ninner body\n--b--\n"))],
  [
    "delivery status",
    crlf(
      'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\nfailed\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\n--b--\n',
    ),
  ],
  [
    "names by RFC 2231",
    multipart(
      crlf("--b\nContent-Disposition: attachment; filename*0*=UTF-8''%E2%82%AC; filename*1=end.txt\n\nx\n--b--\n"),
    ),
  ],
  [
    "name that climbs",
    multipart(crlf('--b\nContent-Disposition: attachment; filename="../../etc/passwd\\"\n\nx\n--b--\n')),
  ],
  [
    "script",
    crlf(
      'Content-Type: text/html\n\n<script>alert(1)</script><img src=x onerror=alert(2)><a href="javascript:alert(3)">x</a>\n',
    ),
  ],
  ["markup never closed", `Content-Type: text/html\r\n\r\n${"<div><a href='x' ".repeat(3000)}\r\n`],
  ["entities", crlf("Content-Type: text/html\n\n&#0;&#xffffffff;&#55296;&unknown;&amp;amp;&\n")],
  ["proto headers", crlf("__proto__: x\nconstructor: y\nhasOwnProperty: z\nContent-Type: text/plain\n\nx\n")],
  ["uuencode", crlf("\nbegin 644 a.txt\n#0V%T\n`\nend\n")],
  ["date nonsense", crlf("Date: yesterday-ish\nMessage-ID: no brackets\n\nx\n")],
  ["far dates", crlf("Date: Fri, 31 Dec 275760 23:59:59 +0000\n\nx\n")],
];

function nested(depth: number): string {
  let body = "deep\r\n";
  for (let level = depth; level > 0; level -= 1)
    body = `Content-Type: multipart/mixed; boundary="b${level}"\r\n\r\n--b${level}\r\n${body}--b${level}--\r\n`;
  return `Subject: nested\r\n${body}`;
}

/** Noise made of what mail is made of; `n` decides all of it. */
function noise(n: number): string {
  let state = n * 2_654_435_761 + 1;
  const next = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state % limit;
  };
  const pieces = [
    "\r\n",
    "\r\n\r\n",
    "--b",
    "--",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: text/html\r\n",
    "Subject: ",
    "=?utf-8?B?",
    "?=",
    "<",
    ">",
    "&",
    "\0",
    "\xff",
    "=",
    "=\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    ":",
    " ",
    "\t",
    '"',
    "(",
    ")",
    "@x.test",
    "From: ",
    "a".repeat(80),
    ".\r\n",
    "\n",
    "\r",
  ];
  let text = "";
  for (let count = 20 + next(120); count > 0; count -= 1) text += pieces[next(pieces.length)] ?? "";
  return `${text}\r\n`;
}

export const corpus: readonly (readonly [name: string, bytes: Buffer])[] = [
  ...written,
  ["nested 40", nested(40)] as const,
  ["nested 400", nested(400)] as const,
  ...Array.from({ length: 156 }, (_, n) => [`noise ${n}`, noise(n)] as const),
].map(([name, wire]) => [name, Buffer.from(wire, "latin1")] as const);
