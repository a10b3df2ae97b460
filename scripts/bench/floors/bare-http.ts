/** node:http alone: reads the request, answers 201 to POST and 200 to everything else. */
import { createServer } from "node:http";
import { listen } from "./listen.ts";

const body = JSON.stringify({ ok: true });

listen(
  createServer((request, response) => {
    request.resume().once("end", () => {
      response.writeHead(request.method === "POST" ? 201 : 200, {
        "content-type": "application/json",
        "content-length": body.length,
      });
      response.end(body);
    });
  }),
);
