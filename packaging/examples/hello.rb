# A worker of unicornd in Ruby, without a gem: every request is answered "hello".
require "socket"

ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"
BEAT = Integer(ENV.fetch("WATCHDOG_USEC", "2000000")) / 2_000_000.0
STATUS = ENV["UNICORND_STATUS_FD"] && IO.for_fd(ENV["UNICORND_STATUS_FD"].to_i, "w")

# False when the daemon is gone: Ruby ignores SIGPIPE, so the write fails.
def say(line)
  STATUS&.syswrite("#{line}\n")
  true
rescue Errno::EPIPE
  false
end

# A silent client must not keep this worker from its heartbeat.
def serve(client)
  return unless client.wait_readable(5)
  client.readpartial(4096)
  client.write(ANSWER)
  client.close_write
  client.readpartial(4096) while client.wait_readable(5)
rescue SystemCallError, EOFError
  # it has left
ensure
  client.close
end

listener = Socket.for_fd(3)
wake_up, waker = IO.pipe
trap("TERM") { waker.write_nonblock(".") }

alive = say("READY=1")
while alive
  readable, = IO.select([listener, wake_up], nil, nil, BEAT)
  break if readable&.include?(wake_up)
  if readable&.include?(listener)
    # Another worker may take the connection first.
    client, = listener.accept_nonblock(exception: false)
    serve(client) unless client == :wait_readable
  end
  alive = say("WATCHDOG=1")
end
