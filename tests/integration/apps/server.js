// A Node server on an inherited socket: says which process answered, and finishes what runs at SIGTERM.
// /slow takes its time between two halves of the answer.
const http = require("http");

const body = `pid ${process.pid}\n`;

const server = http.createServer((request, response) => {
  response.writeHead(200, { "content-type": "text/plain", "content-length": body.length });
  if (request.url !== "/slow") {
    response.end(body);
    return;
  }
  response.write(body.slice(0, 4));
  setTimeout(() => response.end(body.slice(4)), 300);
});

process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections?.();
});
server.listen({ fd: 3 }, () => console.log("listening"));
