# A Rack application: says which process answered; /slow takes its time between two halves of the answer.
class Halves
  def initialize(body)
    @body = body
  end

  def each
    yield @body[0, 4]
    sleep 0.3
    yield @body[4..]
  end
end

run(lambda do |environment|
  body = "pid #{Process.pid}\n"
  headers = { "content-type" => "text/plain", "content-length" => body.bytesize.to_s }
  [200, headers, environment["PATH_INFO"] == "/slow" ? Halves.new(body) : [body]]
end)
