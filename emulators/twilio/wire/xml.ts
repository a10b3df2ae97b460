/** The XML form of the 2010 API: the same members as the JSON form, their names in Pascal case. */

type Value = string | number | boolean | null | undefined | { readonly [name: string]: Value } | readonly Value[];

/** Wraps named elements in the `TwilioResponse` document. */
export function xmlDocument(content: { readonly [name: string]: unknown }): string {
  return xmlEnvelope(
    Object.entries(content)
      .map(([name, value]) => xmlElement(name, value))
      .join(""),
  );
}

export function xmlEnvelope(content: string): string {
  return `<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse>${content}</TwilioResponse>`;
}

/** One element; null is an empty one, an object's members become children, an array repeats its element. */
export function xmlElement(name: string, value: unknown): string {
  const tag = pascalCase(name);
  const known = value as Value;
  if (known === null || known === undefined || known === "") return `<${tag}/>`;
  if (Array.isArray(known)) return known.map((item) => xmlElement(name, item)).join("");
  if (typeof known !== "object") return `<${tag}>${escapeXml(String(known))}</${tag}>`;
  const children = Object.entries(known).map(([child, content]) => xmlElement(child, content));
  return `<${tag}>${children.join("")}</${tag}>`;
}

export function xmlAttributes(attributes: Readonly<Record<string, string | number | null>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value === null ? "" : String(value))}"`)
    .join("");
}

function pascalCase(name: string): string {
  return name
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

// Characters that XML 1.0 cannot carry at all are left out: everything below a space but tab, line feed and return.
const unspeakable = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function escapeXml(text: string): string {
  return text
    .replace(unspeakable, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
