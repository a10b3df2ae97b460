import { decodeEntities } from "./html-text.ts";

/** An element of a page, or a run of text between tags, entities decoded. */
export type HtmlNode = string | HtmlElement;

export interface HtmlElement {
  /** Lower case. */
  readonly name: string;
  /** By lower-case name. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: HtmlNode[];
}

/** A page of a mail is far smaller; what is beyond is not looked at. */
const longest = 1_000_000;
/** What is nested deeper hangs where this depth ends, so that nobody who walks the tree runs out of stack. */
const deepest = 200;

/** Every kind but the last reaches to the end of the page when its own end is missing, so that none is looked for twice. */
const token =
  /<!--[\s\S]*?(?:-->|$)|<(script|style|title|noscript)\b[^>]*>[\s\S]*?(?:<\/\1\s*>|$)|<(\/?)([a-z][^\s/>]*)([^>]*)(?:>|$)|<[!?][^>]*(?:>|$)|[^<]+|</gi;
const attribute = /([^\s=/"'<>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?/g;
const empty = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"]);
/** Elements that end an open one of these names when they begin, as people leave its end out. */
const ending: ReadonlyMap<string, readonly string[]> = new Map([
  ["li", ["li"]],
  ["tr", ["tr", "td", "th"]],
  ["td", ["td", "th"]],
  ["th", ["td", "th"]],
  ["a", ["a"]],
]);
const lists = ["ul", "ol", "table"];
const blocks = ["p", "div", "ul", "ol", "table", "blockquote", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6"];
/** What stands apart from the words around it. */
const apart = new Set([...blocks, "li", "tr", "td", "th", "br"]);

/** Reads a page as far as mails need it: no scripts, no styles, no repair of what is out of place. Never fails. */
export function treeOf(html: string): readonly HtmlNode[] {
  const root: HtmlElement = { name: "", attributes: new Map(), children: [] };
  const open: HtmlElement[] = [root];
  const top = () => open.at(-1) ?? root;
  const close = (names: readonly string[]) => {
    const at = open.findLastIndex(({ name }) => names.includes(name));
    if (at > 0) open.length = at;
  };
  for (const [text, ignored, slash, tag, rest] of html.slice(0, longest).matchAll(token)) {
    if (ignored !== undefined || text.startsWith("<!") || text.startsWith("<?")) continue;
    if (tag === undefined) {
      top().children.push(decodeEntities(text));
      continue;
    }
    const name = tag.toLowerCase();
    if (slash === "/") {
      close([name]);
      continue;
    }
    const ends = ending.get(name);
    if (ends !== undefined) {
      const enclosing = open.findLastIndex((element) => lists.includes(element.name));
      const ended = open.findIndex((element, at) => at > enclosing && ends.includes(element.name));
      if (ended !== -1) open.length = ended;
    }
    if (blocks.includes(name) && top().name === "p") close(["p"]);
    const element: HtmlElement = { name, attributes: attributesOf(rest ?? ""), children: [] };
    top().children.push(element);
    if (!empty.has(name) && open.length < deepest) open.push(element);
  }
  return root.children;
}

/** Every element, each before what is in it. */
export function elementsOf(nodes: readonly HtmlNode[], found: HtmlElement[] = []): readonly HtmlElement[] {
  for (const node of nodes) {
    if (typeof node === "string") continue;
    found.push(node);
    elementsOf(node.children, found);
  }
  return found;
}

/** The text in an element, in one line. */
export function textWithin(element: HtmlElement): string {
  return textOf(element).replaceAll(/\s+/g, " ").trim();
}

function textOf({ name, children }: HtmlElement): string {
  const text = children.map((node) => (typeof node === "string" ? node : textOf(node))).join("");
  return apart.has(name) ? ` ${text} ` : text;
}

/** Of an attribute that is there twice the first counts, as in a browser. */
function attributesOf(text: string): ReadonlyMap<string, string> {
  const found = [...text.matchAll(attribute)].map(
    ([, name = "", double, single, bare]) =>
      [name.toLowerCase(), decodeEntities(double ?? single ?? bare ?? "")] as const,
  );
  return new Map(found.toReversed());
}
