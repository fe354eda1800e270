// A worker of unicornd in Node, without a package: every request is answered "hello".
const fs = require("fs");
const http = require("http");

const status = Number(process.env.UNICORND_STATUS_FD ?? -1);
const beat = Number(process.env.WATCHDOG_USEC ?? 2000000) / 2000;

const server = http.createServer((request, response) => response.end("hello\n"));

// What waits for its next request is closed at once, what runs is finished. The signal may come more than once.
function stop() {
  if (!server.listening) return;
  server.close(() => process.exit(0));
  server.closeIdleConnections?.();
}

// A write error means that the daemon is gone: then this worker ends too.
function say(line) {
  if (status < 0) return;
  try {
    fs.writeSync(status, `${line}\n`);
  } catch {
    stop();
  }
}

process.on("SIGTERM", stop);
server.listen({ fd: 3 }, () => say("READY=1"));
setInterval(() => say("WATCHDOG=1"), beat).unref();
