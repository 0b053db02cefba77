include = ["base/base.hcl"]

pool "x" {
  max_line_bytes    = 100
  max_request_bytes = 1023.5
  server "a" { address = "stratum+tcp://a.example:3333" }
}
proxy "y" {
  pool = pool.x
  listener "tcp" {
    address         = ":4444"
    max_connections = 0
    max_line_bytes  = "many"
  }
}
