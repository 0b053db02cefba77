include = ["base/base.hcl"]

pool "a b" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "ok" {
  server "a b" { address = "stratum+tcp://a.example:3333" }
}
pool {}
