/**
 * Smart encoding: characters that look like one of GSM 03.38 become it, so that a body stays in 7 bits.
 * https://www.twilio.com/docs/messaging/services#smart-encoding
 */
const groups: readonly (readonly [replacement: string, characters: string])[] = [
  ['"', "\u00ab\u00bb\u201c\u201d\u02ba\u02ee\u201f\u275d\u275e\u301d\u301e\uff02\u201e"],
  [
    "'",
    "\u2018\u2019\u02bb\u02c8\u02bc\u02bd\u02b9\u201b\uff07\u00b4\u02ca\u0060\u02cb\u275b\u275c\u0313\u0314\ufe10\ufe11\u201a\u2032\u2035",
  ],
  ["-", "\u23bc\u23bd\u2014\u2013\u2010\u2011\u2012\u2015\u2022\u2043\u02c9\u2212\ufe58\ufe63\uff0d"],
  ["_", "\u23ba\u23bb\u2017\uff3f"],
  [
    "*",
    "\u204e\u2217\u229b\u2722\u2723\u2724\u2725\u2731\u2732\u2733\u273a\u273b\u273c\u273d\u2743\u2749\u274a\u274b\u29c6\ufe61\uff0a",
  ],
  ["/", "\u00f7\u2044\u2215\u29f8\u29f9\uff0f"],
  ["!", "\u01c3\u2d51\ufe15\ufe57\uff01"],
  ["?", "\ufe56\uff1f"],
  ["#", "\ufe5f\uff03"],
  ["%", "\u066a\u2052\ufe6a\uff05"],
  ["&", "\ufe60\uff06"],
  [",", "\u201a\u0326\ufe50\uff0c\u3001\ufe51\uff64"],
  [".", "\u3002\ufe52\uff0e\uff61"],
  [":", "\u02d0\u02f8\u2982\ua789\ufe13\uff1a"],
  [";", "\u204f\ufe14\ufe54\uff1b"],
  ["<", "\u2039\u02c2\u276e\ufe64\uff1c"],
  [">", "\u203a\u02c3\u276f\ufe65\uff1e"],
  ["=", "\ua78a\ufe66\uff1d"],
  ["+", "\u02d6\ufe62\uff0b"],
  ["(", "\u2768\u276a\ufe59\uff08\u27ee"],
  [")", "\u2769\u276b\ufe5a\uff09\u27ef"],
  ["[", "\u2772\u2773\ufe5d\uff3b"],
  ["{", "\u2774\ufe5b\uff5b"],
  ["}", "\u2775\ufe5c\uff5d"],
  ["~", "\u02dc\u02f7\u0303\u0330\u0334\u223c\uff5e"],
  ["^", "\u02c6\u0302\uff3e"],
  ["$", "\ufe69\uff04"],
  ["@", "\ufe6b\uff20"],
  ["\\", "\ufe68\uff3c"],
  ["...", "\u2026"],
  ["!!", "\u203c"],
  ["1/4", "\u00bc"],
  ["1/2", "\u00bd"],
  ["3/4", "\u00be"],
  ["  ", "\u00a0\u2000\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"],
  [" ", "\u2001\u2028\u2029"],
  ["", "\u200b\u200c\u200d\u2060\ufeff\u008d\u008f\u0090\u009d\u0080\u0081\u00ad"],
];

const replacements = new Map<string, string>(
  groups.flatMap(([replacement, characters]) => [...characters].map((one): [string, string] => [one, replacement])),
);
// Full-width letters and digits stand in the same order as ASCII's.
for (let code = 0xff10; code <= 0xff5a; code += 1) {
  const plain = String.fromCharCode(code - 0xfee0);
  if (/[0-9A-Za-z]/.test(plain)) replacements.set(String.fromCharCode(code), plain);
}

const anything = /[^\n\r -~]|`/g;

export function smartEncode(body: string): string {
  return body.replace(anything, (character) => replacements.get(character) ?? character);
}
