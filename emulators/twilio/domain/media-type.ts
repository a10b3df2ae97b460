/** Content types of attached media. */

const contentTypes: readonly (readonly [RegExp, string])[] = [
  [/\.jpe?g$/, "image/jpeg"],
  [/\.png$/, "image/png"],
  [/\.gif$/, "image/gif"],
  [/\.webp$/, "image/webp"],
  [/\.mp4$/, "video/mp4"],
  [/\.mp3$/, "audio/mpeg"],
  [/\.pdf$/, "application/pdf"],
  [/\.vcf$/, "text/vcard"],
  [/\.txt$/, "text/plain"],
];

/** By the URL's extension; nothing is fetched. Most media are photographs. */
export function contentTypeOf(source: string): string {
  const path = (URL.parse(source)?.pathname ?? source).toLowerCase();
  return contentTypes.find(([form]) => form.test(path))?.[1] ?? "image/jpeg";
}
