include = ["base/base.hcl"]

pool "x" {
  server "a" { address = "stratum+tcp://a.example:3333" }
  dial_timeout = = 5
}
proxy "y" {
