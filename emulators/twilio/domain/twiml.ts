/**
 * TwiML as XML: elements, attributes, text. No document type, no entities but the five of XML and character references, so
 * nothing is ever fetched or expanded while parsing. https://www.twilio.com/docs/api/errors/12100
 */

export interface TwimlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly TwimlElement[];
  /** All text directly inside, trimmed. */
  readonly text: string;
}

export type Twiml =
  | { readonly tag: "response"; readonly verbs: readonly TwimlElement[] }
  | { readonly tag: "malformed"; readonly reason: string };

interface OpenElement {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: TwimlElement[];
  text: string;
}

const deepest = 32;
const nameForm = /[A-Za-z_][\w.:-]*/y;
const spaces = /[ \t\r\n]*/y;

export function parseTwiml(source: string): Twiml {
  try {
    const root = parseElement(source.replace(/^\ufeff/, ""));
    if (root.name !== "Response") return { tag: "malformed", reason: `the document is <${root.name}>, not <Response>` };
    return { tag: "response", verbs: root.children };
  } catch (cause) {
    if (cause instanceof MalformedXml) return { tag: "malformed", reason: cause.message };
    throw cause;
  }
}

class MalformedXml extends Error {}

function parseElement(source: string): TwimlElement {
  const open: OpenElement[] = [];
  let root: TwimlElement | undefined;
  let at = 0;
  const fail = (reason: string): never => {
    throw new MalformedXml(`${reason} at character ${at}`);
  };
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0] ?? "";
    at += found.length;
    return found;
  };
  const skipTo = (end: string) => {
    const found = source.indexOf(end, at);
    if (found < 0) fail(`${end} is missing`);
    at = found + end.length;
  };
  const addText = (text: string) => {
    const top = open[open.length - 1];
    if (top) top.text += text;
    else if (text.trim() !== "") fail("text outside the document");
  };
  const close = (element: OpenElement) => {
    const done: TwimlElement = { ...element, text: element.text.trim() };
    const parent = open[open.length - 1];
    if (parent) parent.children.push(done);
    else if (root) fail("a second document");
    else root = done;
  };
  while (at < source.length) {
    if (source[at] !== "<") {
      const next = source.indexOf("<", at);
      const text = source.slice(at, next < 0 ? source.length : next);
      addText(decoded(text, fail));
      at += text.length;
    } else if (source.startsWith("<?", at)) skipTo("?>");
    else if (source.startsWith("<!--", at)) {
      at += 4;
      skipTo("-->");
    } else if (source.startsWith("<![CDATA[", at)) {
      const start = at + 9;
      skipTo("]]>");
      addText(source.slice(start, at - 3));
    } else if (source.startsWith("<!", at)) fail("document types are not accepted");
    else if (source.startsWith("</", at)) {
      at += 2;
      const name = match(nameForm);
      match(spaces);
      const element = open.pop();
      if (source[at] !== ">" || element?.name !== name) return fail(`</${name}> closes nothing`);
      at += 1;
      close(element);
    } else {
      at += 1;
      const name = match(nameForm) || fail("a name is missing");
      if (open.length >= deepest) fail("elements are nested too deeply");
      const element: OpenElement = { name, attributes: readAttributes(), children: [], text: "" };
      if (source.startsWith("/>", at)) {
        at += 2;
        close(element);
      } else if (source[at] === ">") {
        at += 1;
        open.push(element);
      } else fail(`<${name}> does not end`);
    }
  }
  const left = open.pop();
  if (left) fail(`<${left.name}> is not closed`);
  return root ?? fail("no document");

  function readAttributes(): Record<string, string> {
    const attributes: Record<string, string> = {};
    for (;;) {
      const gap = match(spaces);
      const name = match(nameForm);
      if (name === "") return attributes;
      if (gap === "") fail(`${name} follows without a space`);
      match(spaces);
      if (source[at] !== "=") fail(`${name} has no value`);
      at += 1;
      match(spaces);
      const quote = source[at];
      if (quote !== '"' && quote !== "'") return fail(`the value of ${name} is not quoted`);
      const end = source.indexOf(quote, at + 1);
      if (end < 0) fail(`the value of ${name} does not end`);
      if (Object.hasOwn(attributes, name)) fail(`${name} is given twice`);
      attributes[name] = decoded(source.slice(at + 1, end), fail);
      at = end + 1;
    }
  }
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decoded(text: string, fail: (reason: string) => never): string {
  if (!text.includes("&")) return text;
  return text.replace(/&([^;\s]*);?/g, (whole, entity: string) => {
    if (!whole.endsWith(";")) fail("a bare &");
    const known = named[entity];
    if (known !== undefined) return known;
    const code = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(entity);
    const point = code ? Number.parseInt(code[1] ?? code[2] ?? "", code[1] ? 16 : 10) : Number.NaN;
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : fail(`&${entity}; is not known`);
  });
}

/** What a document without markup amounts to. */
export function verb(name: string, text: string, attributes: Readonly<Record<string, string>> = {}): TwimlElement {
  return { name, attributes, children: [], text };
}
