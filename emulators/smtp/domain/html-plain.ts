import { type HtmlElement, type HtmlNode, treeOf } from "./html-tree.ts";

/**
 * The text that Mailpit gives of a message that has only HTML: enmime makes it (github.com/jaytaylor/html2text), with
 * lines of stars and dashes at headings, `*bold*`, `* items` and `( addresses )` behind links.
 */
export function plainOfHtml(html: string): string {
  const page = createPage();
  traverse(treeOf(html), page);
  return page.text().replaceAll("\n ", "\n").replaceAll(/\n\n+/g, "\n\n").trim();
}

interface Page {
  /** Words are parted by a space, whether the HTML had one between them or not. */
  emit(text: string): void;
  /** Whether something stands on the present line. */
  begun(): boolean;
  text(): string;
  quotes: number;
  /** The last that was written is the end of a `div`. */
  closedDiv: boolean;
}

function createPage(endsWithSpace = false): Page {
  let written = "";
  let spaced = endsWithSpace;
  let begun = false;
  const page: Page = {
    emit(text) {
      if (text === "") return;
      if (!spaced && !/^\s/.test(text)) written += " ";
      spaced = /\s$/.test(text);
      begun = !text.endsWith("\n");
      const prefix = page.quotes === 0 ? "" : `${">".repeat(page.quotes)} `;
      written += prefix === "" ? text : text.replaceAll("\n", `\n${prefix}`);
    },
    begun: () => begun,
    text: () => written,
    quotes: 0,
    closedDiv: false,
  };
  return page;
}

function traverse(nodes: readonly HtmlNode[], page: Page): void {
  for (const node of nodes) {
    if (typeof node === "string") page.emit(node.replaceAll(/[ \r\n\t]+/g, " ").replaceAll(/^ | $/g, ""));
    else element(node, page);
  }
}

/** The text of an element by itself. */
function inner({ children }: HtmlElement, endsWithSpace = false): string {
  const page = createPage(endsWithSpace);
  traverse(children, page);
  return page.text();
}

function element(node: HtmlElement, page: Page): void {
  page.closedDiv = false;
  const children = () => traverse(node.children, page);
  switch (node.name) {
    case "head":
      return;
    case "br":
      page.emit("\n");
      return;
    case "h1":
    case "h2":
    case "h3":
      page.emit(heading(node));
      return;
    case "blockquote":
      page.quotes += 1;
      page.emit(page.quotes === 1 ? "\n\n" : "\n");
      children();
      page.quotes -= 1;
      page.emit("\n\n");
      return;
    case "div":
      if (page.begun()) page.emit("\n");
      children();
      if (!page.closedDiv) page.emit("\n");
      page.closedDiv = true;
      return;
    case "li":
      page.emit("* ");
      children();
      page.emit("\n");
      return;
    case "b":
    case "strong":
      page.emit(`*${inner(node, true)}*`);
      return;
    case "a":
      link(node, page);
      return;
    case "p":
    case "ul":
    case "table":
      page.emit("\n\n");
      children();
      page.emit("\n\n");
      return;
    default:
      children();
  }
}

function heading(node: HtmlElement): string {
  const text = inner(node);
  const longest = Math.max(...text.split("\n").map((line) => [...line].length - 1), 0);
  const line = (node.name === "h1" ? "*" : "-").repeat(longest);
  return node.name === "h3" ? `\n\n${text}\n${line}\n\n` : `\n\n${line}\n${text}\n${line}\n\n`;
}

function link(node: HtmlElement, page: Page): void {
  const [only, ...others] = node.children;
  if (typeof only === "object" && only.name === "img" && others.length === 0)
    page.emit(only.attributes.get("alt") ?? "");
  else traverse(node.children, page);
  const address = (node.attributes.get("href") ?? "").trim().replace(/^mailto:/, "");
  if (address !== "") page.emit(`( ${address} )`);
}
