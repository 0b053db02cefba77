include = ["base/base.hcl"]

pool "x" {
  server "a" { address = "stratum+tcp://a.example:3333" }
  dial_timeout = = 5
  idle_timeout = "5s
}
proxy "y" {
  pool = pool.x y
  listener "tcp" { address = ":4441" }
  request "mining.submit" "x" {
    when = "user == "x""
    drop {}
  }
}
variable "v" {
  description = "the "main" one"
}
proxy "z"
