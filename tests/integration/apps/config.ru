# A Rack application: says which process answered.
run ->(_environment) { [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]] }
