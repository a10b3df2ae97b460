/** XML of both query protocols: escaping, envelopes, errors. */

const special = /[&<>"'\p{Cc}\ufffe\uffff]/u;
const everySpecial = new RegExp(special, "gu");
const replacements: Readonly<Record<string, string>> = {
  "\t": "\t",
  "\n": "\n",
  "\r": "&#13;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text as it may stand in an element; characters that XML 1.0 cannot carry become U+FFFD. */
export function escapeXml(text: string): string {
  return special.test(text) ? text.replace(everySpecial, (character) => replacements[character] ?? "\ufffd") : text;
}

/** One element with text. */
export function element(name: string, value: string | number | boolean): string {
  return `<${name}>${typeof value === "string" ? escapeXml(value) : value}</${name}>`;
}

/** An element with a ready-made inside; an empty inside gives an empty element, which SDKs read as an empty list. */
export function wrap(name: string, inside: string): string {
  return inside === "" ? `<${name}/>` : `<${name}>${inside}</${name}>`;
}

/** A list as EC2 writes it: `<name><item>..</item></name>`. */
export function itemList(name: string, items: readonly string[]): string {
  return wrap(name, items.map((item) => `<item>${item}</item>`).join(""));
}

/** The kernel's 32 hex characters as a UUID. */
export function requestId(id: string): string {
  return `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20, 32)}`;
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
export const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";

/** What stands before and after the inside of an EC2 success. */
export function ec2Envelope(action: string, id: string): readonly [before: string, after: string] {
  return [
    `${declaration}<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">\n    <requestId>${requestId(id)}</requestId>\n    `,
    `\n</${action}Response>`,
  ];
}

/** Body of an STS success. The `Result` element is mandatory: botocore fails without it. */
export function stsXml(action: string, inside: string, id: string): string {
  return `<${action}Response xmlns="${stsNamespace}">\n  <${action}Result>${inside}</${action}Result>\n  <ResponseMetadata>\n    <RequestId>${requestId(id)}</RequestId>\n  </ResponseMetadata>\n</${action}Response>\n`;
}

export interface Failure {
  readonly fault: "Sender" | "Receiver";
  readonly code: string;
  readonly message: string;
}

export function failureXml(service: "ec2" | "sts", failure: Failure, id: string): string {
  const told = element("Code", failure.code) + element("Message", failure.message);
  if (service === "sts")
    return `<ErrorResponse xmlns="${stsNamespace}">\n  <Error>${element("Type", failure.fault)}${told}</Error>\n  <RequestId>${requestId(id)}</RequestId>\n</ErrorResponse>\n`;
  return `${declaration}<Response><Errors><Error>${told}</Error></Errors><RequestID>${requestId(id)}</RequestID></Response>`;
}

/** An element only if there is something to say. */
export function maybe(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? "" : element(name, value);
}

export function tagSetXml(tags: readonly { readonly key: string; readonly value: string }[]): string {
  return itemList(
    "tagSet",
    tags.map(({ key, value }) => element("key", key) + element("value", value)),
  );
}
