// A receiver for the acceptance scripts: refuses everything with 500 until POST /repair, counts each webhook-id after it.
import { createServer } from "node:http";

let broken = true;
const taken = new Map();
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    if (request.url === "/state") {
      response.end(JSON.stringify({ ids: taken.size, deliveries: [...taken.values()].reduce((sum, n) => sum + n, 0) }));
    } else if (request.url === "/repair") {
      broken = false;
      response.end();
    } else {
      const id = request.headers["webhook-id"];
      if (!broken) taken.set(id, (taken.get(id) ?? 0) + 1);
      response.writeHead(broken ? 500 : 200).end();
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
