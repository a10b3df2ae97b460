/**
 * `Contains` of a number search: `*` is one digit, `%` any run of them, `+` and `$` the ends, letters what a keypad makes of
 * them. https://www.twilio.com/docs/phone-numbers/api/availablephonenumberlocal-resource
 */
const keypad = ["ABC", "DEF", "GHI", "JKL", "MNO", "PQRS", "TUV", "WXYZ"];

export function containsPattern(text: string): RegExp {
  let source = "";
  for (const character of text.toUpperCase()) {
    const key = keypad.findIndex((letters) => letters.includes(character));
    if (/\d/.test(character)) source += character;
    else if (key >= 0) source += String(key + 2);
    else if (character === "*") source += "\\d";
    else if (character === "%") source += "\\d*";
    else if (character === "+") source += "^\\+";
    else if (character === "$") source += "$";
  }
  return new RegExp(source);
}
