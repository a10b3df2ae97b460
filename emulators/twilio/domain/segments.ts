/**
 * How many parts an SMS is split into and billed for. The rules are those of Twilio's own `sms-segments-calculator`
 * 1.3.0: grapheme clusters are never split across parts, and one character outside GSM 03.38 turns the whole body into
 * UCS-2. https://www.twilio.com/docs/glossary/what-sms-character-limit
 */

const basicCharacters = "\\n\\r !\"#$%&'()*+,\\-./0-9:;<=>?@A-Z_a-z¡£¤¥§¿ÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùüΓΔΘΛΞΠΣΦΨΩ";
const onlyBasic = new RegExp(`^[${basicCharacters}]*$`);
const onlyGsm = new RegExp(`^[${basicCharacters}\\f^{}\\\\[~\\]|€]*$`);
const extension = new Set("\f^{}\\[~]|€");

// 1,120 bits in all; parts of a longer body give 48 of them to the header that joins them.
const septetsAlone = 160;
const septetsPerPart = 153;
const unitsAlone = 70;
const unitsPerPart = 67;

/** Made with the first long body that needs it: its dictionary takes 18 ms to load. */
let graphemes: Intl.Segmenter | undefined;

export type SmsEncoding = "GSM-7" | "UCS-2";

export function encodingOf(body: string): SmsEncoding {
  return onlyGsm.test(body) ? "GSM-7" : "UCS-2";
}

/** Number of segments of a text body; an empty body takes one. */
export function countSegments(body: string): number {
  if (onlyBasic.test(body)) return body.length <= septetsAlone ? 1 : Math.ceil(body.length / septetsPerPart);
  // No cluster of GSM characters is longer than one, but for CRLF, which counts as two.
  if (onlyGsm.test(body)) return pack(septetSizes(body), septetsAlone, septetsPerPart);
  return body.length <= unitsAlone ? 1 : pack(clusterSizes(body), unitsAlone, unitsPerPart);
}

function* septetSizes(body: string): Generator<number> {
  for (const character of body) yield extension.has(character) ? 2 : 1;
}

function* clusterSizes(body: string): Generator<number> {
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const { segment } of graphemes.segment(body)) {
    if (segment === "\r\n") {
      yield 1;
      yield 1;
    } else yield segment.length;
  }
}

/** Fills parts in order; what does not fit moves whole to the next part. */
function pack(sizes: Iterable<number>, alone: number, perPart: number): number {
  let total = 0;
  let parts = 1;
  let used = 0;
  for (const size of sizes) {
    total += size;
    if (used > 0 && used + size > perPart) {
      parts += 1;
      used = 0;
    }
    used += size;
  }
  return total <= alone ? 1 : parts;
}
