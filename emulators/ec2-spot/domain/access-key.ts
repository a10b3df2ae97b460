/** Access key ids carry their account: 80 bits in base 32, of which bits 7 to 46 of the first 48 are the account number. */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** `AKIA` or `ASIA` and 16 characters. `bits` gives the part that tells two keys of one account apart: 5 bytes are used. */
export function accessKeyId(prefix: "AKIA" | "ASIA", account: string, bits: Uint8Array): string {
  const low = bits[0] ?? 0;
  let number = (1n << 47n) | (BigInt(account) << 7n) | BigInt(low & 0x7f);
  for (let index = 1; index <= 4; index += 1) number = (number << 8n) | BigInt(bits[index] ?? 0);
  let text = "";
  for (let shift = 75n; shift >= 0n; shift -= 5n) text += alphabet.charAt(Number((number >> shift) & 31n));
  return prefix + text;
}

/** The account inside a key id, 12 digits; undefined when it is no key id or holds no possible account. */
export function accountOf(keyId: string): string | undefined {
  if (!/^(AKIA|ASIA)[A-Z2-7]{16}$/.test(keyId)) return undefined;
  let number = 0n;
  for (const character of keyId.slice(4)) number = (number << 5n) | BigInt(alphabet.indexOf(character));
  const account = ((number >> 32n) & 0x7fffffffff80n) >> 7n;
  return account < 1_000_000_000_000n ? account.toString().padStart(12, "0") : undefined;
}
