include = ["base/base.hcl"]

pool "x" {
  for_each = toset(["a", "b"])
  server "a" { address = "stratum+tcp://a.example:3333" }
}
audit "file" "main" { path = "/var/log/x" }
admin {
  address = ":9464"
  token   = "a token that is long enough"
}
proxy "x" {
  for_each = { a = 4441, b = 4442 }
  pool     = pool.x[each.key]
  listener "tcp" { address = ":${each.value}" }
  audit { sinks = [audit.file.main] }
}
