/** Content templates: what of one a message carries. https://www.twilio.com/docs/content/create-templates-with-the-content-template-builder */
import type { Problem } from "../errors.ts";

export interface ContentTemplate {
  /** Values for placeholders that a message does not give. */
  readonly variables: Readonly<Record<string, string>>;
  /** By type: `{"twilio/text": {"body": "Hi {{1}}"}}`. */
  readonly types: Readonly<Record<string, unknown>>;
}

export interface RenderedContent {
  readonly body: string;
  readonly mediaUrls: readonly string[];
}

const placeholder = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;

/** `given` is ContentVariables: a JSON object of texts. Placeholders without a value are wrong variables. */
export function renderContent(
  { variables, types }: ContentTemplate,
  given: string | undefined,
): RenderedContent | Problem {
  const own = given === undefined ? {} : textsIn(given);
  if (!own) return { name: "contentVariables" };
  const values: Readonly<Record<string, string>> = { ...variables, ...own };
  const chosen = contentOf(types);
  const texts = [chosen.body, ...chosen.mediaUrls];
  const missing = texts.some((text) => [...text.matchAll(placeholder)].some(([, name = ""]) => !(name in values)));
  if (missing) return { name: "contentVariables" };
  const [body = "", ...mediaUrls] = texts.map((text) =>
    text.replace(placeholder, (_, name: string) => values[name] ?? ""),
  );
  return { body, mediaUrls };
}

/** Text before media before the first of the richer types, of which a telephone shows the body. */
function contentOf(types: ContentTemplate["types"]): RenderedContent {
  const parts = types["twilio/text"] ?? types["twilio/media"] ?? Object.values(types)[0];
  const { body, media } = (parts ?? {}) as { readonly body?: unknown; readonly media?: unknown };
  return {
    body: typeof body === "string" ? body : "",
    mediaUrls: Array.isArray(media) ? media.filter((one) => typeof one === "string") : [],
  };
}

function textsIn(json: string): Readonly<Record<string, string>> | undefined {
  try {
    const read: unknown = JSON.parse(json);
    if (read === null || typeof read !== "object" || Array.isArray(read)) return undefined;
    const entries = Object.entries(read);
    return entries.every(([, value]) => typeof value === "string") ? Object.fromEntries(entries) : undefined;
  } catch {
    return undefined;
  }
}
