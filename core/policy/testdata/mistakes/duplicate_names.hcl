include = ["base/base.hcl"]

variable "a" { default = 1 }
variable "a" { default = 2 }
pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "twice" {
  server "a" { address = "stratum+tcp://a.example:3333" }
  server "a" { address = "stratum+tcp://b.example:3333" }
}
ruleset "r" {
  variable "v" { default = 1 }
  variable "v" { default = 1 }
  request "mining.submit" "x" {
    drop {}
  }
  request "mining.authorize" "x" {
    drop {}
  }
  response "mining.authorize" "x" {
    drop {}
  }
}
ruleset "r" {}
proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":4444" }
}
log {}
log {}
