import { type HtmlElement, type HtmlNode, treeOf } from "./html-tree.ts";

const widest = 80;
/** Line ends before and after; what is not here stands in the line. */
const breaks: ReadonlyMap<string, number> = new Map([
  ...["p", "ul", "ol", "blockquote", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6"].map((name) => [name, 2] as const),
  ...["div", "li", "table", "tr", "section", "article", "header", "footer", "main", "form"].map(
    (name) => [name, 1] as const,
  ),
]);

/**
 * The text that MailDev 3 gives of a message that has only HTML: mailparser makes it with html-to-text, in lines of 80
 * characters, headings in capitals, `[addresses]` behind links.
 */
export function linesOfPage(html: string): string {
  const page = createLines();
  for (const node of treeOf(html)) walk(node, page, false);
  return page.text();
}

interface Lines {
  /** Text in a line; white space is one space, and a line ends before it is too long. */
  add(text: string): void;
  end(count: number): void;
  /** What is written meanwhile stands behind `first`, then behind `others`. */
  behind(first: string, others: string, write: () => void): void;
  text(): string;
}

function createLines(): Lines {
  let done = "";
  let line = "";
  let pending = 0;
  let spaced = false;
  let indent = "";
  let marker: string | undefined;
  const end = (count: number) => {
    spaced = false;
    if (line === "") pending = Math.max(pending, count);
    else {
      done += (done === "" ? "" : "\n".repeat(pending)) + line;
      [line, pending] = ["", count];
    }
  };
  const put = (word: string) => {
    if (line !== "" && spaced && line.length + 1 + word.length > widest) end(1);
    if (line === "") line = marker ?? indent;
    else if (spaced) line += " ";
    marker = undefined;
    line += word;
    spaced = false;
  };
  return {
    add(text) {
      text.split(/[ \t\r\n]+/).forEach((word, index) => {
        if (index > 0) spaced = true;
        if (word !== "") put(word);
      });
    },
    end,
    behind(first, others, write) {
      const before = indent;
      marker = indent + first;
      indent += others;
      write();
      indent = before;
      marker = undefined;
    },
    text() {
      end(1);
      return done;
    },
  };
}

function walk(node: HtmlNode, page: Lines, loud: boolean): void {
  if (typeof node === "string") {
    page.add(loud ? node.toUpperCase() : node);
    return;
  }
  const { name } = node;
  const around = breaks.get(name) ?? 0;
  if (around > 0) page.end(around);
  within(node, page, loud || /^h[1-6]$/.test(name));
  if (around > 0) page.end(around);
}

function within({ name, attributes, children }: HtmlElement, page: Lines, loud: boolean): void {
  const inside = () => {
    for (const child of children) walk(child, page, loud);
  };
  const address = (text = "") => (text === "" ? "" : ` [${text.trim().replace(/^mailto:/, "")}]`);
  switch (name) {
    case "head":
      return;
    case "br":
      page.end(1);
      return;
    case "hr":
      page.add("-".repeat(widest));
      return;
    case "img":
      page.add((attributes.get("alt") ?? "") + address(attributes.get("src")));
      return;
    case "li":
      page.behind(" * ", "   ", inside);
      return;
    case "blockquote":
      page.behind("> ", "> ", inside);
      return;
    default:
      inside();
      if (name === "a") page.add(address(attributes.get("href")));
  }
}
