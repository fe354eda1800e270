// A Node server on an inherited socket: says which process answered, and finishes what runs at SIGTERM.
const http = require("http");

const server = http.createServer((request, response) => response.end(`pid ${process.pid}\n`));

process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections?.();
});
server.listen({ fd: 3 }, () => console.log("listening"));
