/**
 * A page of 1,000 spot prices with nothing around it: reads the form, walks pools whose prices are smooth noise of a hash,
 * joins each record to prepared text and sends the page. No signature, no filter, no paging, no journal.
 */
import { createServer } from "node:http";
import { listen } from "./listen.ts";

const pools = Array.from({ length: 16_800 }, (_, index) => ({
  key: Math.imul(index + 1, 0x9e3779b1),
  before: `\n        <item><instanceType>m${index % 900}.large</instanceType><productDescription>Linux/UNIX</productDescription><spotPrice>`,
  after: `.000Z</timestamp><availabilityZone>us-east-1${"abcdef"[index % 6]}</availabilityZone><availabilityZoneId>use1-az${index % 6}</availabilityZoneId></item>`,
}));
const slotSeconds = 8 * 3_600;
const octaves = [1, 7, 41, 256];

function draw(key: number, cell: number): number {
  let hash = key ^ Math.imul(cell, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296;
}

/** Four octaves of value noise. */
function price(key: number, slot: number): number {
  let level = 0.3;
  for (const octave of octaves) {
    const cell = Math.floor(slot / octave);
    const part = slot / octave - cell;
    level += (draw(key ^ octave, cell) * (1 - part) + draw(key ^ octave, cell + 1) * part) * 0.05;
  }
  return level;
}

function page(form: URLSearchParams): string {
  const count = Number(form.get("MaxResults"));
  const now = Math.floor(Date.now() / 1_000);
  let text = `<?xml version="1.0" encoding="UTF-8"?>\n<${form.get("Action")}Response><spotPriceHistorySet>`;
  for (let index = 0; index < count; index += 1) {
    const pool = pools[(index * 17) % pools.length];
    if (!pool) break;
    const at = now - index;
    const instant = new Date(at * 1_000).toISOString().slice(0, 19);
    text += `${pool.before}${price(pool.key, Math.floor(at / slotSeconds)).toFixed(6)}</spotPrice><timestamp>${instant}${pool.after}`;
  }
  return `${text}\n    </spotPriceHistorySet></${form.get("Action")}Response>`;
}

listen(
  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      const body = Buffer.from(page(new URLSearchParams(Buffer.concat(chunks).toString())), "latin1");
      response.writeHead(200, { "content-type": "text/xml;charset=UTF-8", "content-length": body.length });
      response.end(body);
    });
  }),
);
