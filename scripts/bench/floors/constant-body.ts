/** node:http that answers everything with the bytes of one file: what sending an answer of that size costs by itself. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { listen } from "./listen.ts";

const [path = "", type = ""] = process.argv.slice(2);
const body = readFileSync(path);

listen(
  createServer((request, response) => {
    request.resume().once("end", () => {
      response.writeHead(200, { "content-type": type, "content-length": body.length });
      response.end(body);
    });
  }),
);
