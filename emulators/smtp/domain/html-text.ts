const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  copy: "©",
  reg: "®",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  euro: "€",
  bull: "•",
  trade: "™",
  laquo: "«",
  raquo: "»",
  zwnj: "\u200c",
  shy: "\u00ad",
};
/** Letters from À on, in the order of Latin-1; `times` and `divide` stand among them there too. */
const letters =
  "Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";
const letterOf = new Map(letters.split(" ").map((name, index) => [name, String.fromCharCode(0xc0 + index)]));

/** What a reader of the page would read, in one line; nothing of it is run. */
export function textOfHtml(html: string): string {
  return decodeEntities(
    html
      .replaceAll(/<!--[\s\S]*?(?:-->|$)/g, " ")
      .replaceAll(/<(script|style|head|template)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, " ")
      .replaceAll(/<[^>]*(?:>|$)/g, " "),
  )
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** The same with the addresses that links lead to in front of them. */
export function textWithAddresses(html: string): string {
  return textOfHtml(
    html.replaceAll(/<a\b([^>]*)(?:>|$)/gi, (whole, attributes: string) => {
      const [, double, single, bare] = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(attributes) ?? [];
      const address = (double ?? single ?? bare ?? "").trim();
      return /^http/i.test(address) ? ` ${address.replaceAll("<", " ")} ${whole}` : whole;
    }),
  );
}

/** The page as lines: paragraphs, breaks and list items end one. */
export function linesOfHtml(html: string): string {
  const broken = html.replaceAll(/<(?:br|\/p|\/div|\/tr|\/li|\/h[1-6])\b[^>]*>/gi, "\ue000");
  return textOfHtml(broken)
    .replaceAll(/ ?\ue000 ?/g, "\n")
    .trim();
}

export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return letterOf.get(String(name)) ?? entities[String(name).toLowerCase()] ?? whole;
    const point = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)
      ? String.fromCodePoint(point)
      : whole;
  });
}
