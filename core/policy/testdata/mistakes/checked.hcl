include = ["base/base.hcl"]

pool "x" {
  strategy         = "roundrobin"
  failback_after   = 5
  extranonce2_size = 99
  health_check {
    interval = "x"
    failures = 0
    retries  = 1
  }
  server "a" { address = "stratum+tcp://a.example:3333" }
}
audit "fiel" "main" {}
audit "file" "main" {}
audit "sqlite" "db" { path = "x" }
admin {
  address = "localhost"
}
log {
  level  = "verbose"
  format = "xml"
}
proxy "x" {
  pool = pool.x
  listener "tcp" { address = ":4441" }
  audit {
    sinks  = [audit.sqlite.bd, "x"]
    events = ["authorise"]
  }
}
