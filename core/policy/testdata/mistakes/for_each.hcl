include = ["base/base.hcl"]

variable "secret" {
  default   = ["k1"]
  sensitive = true
}
locals {
  list = ["a", "b"]
}
pool "a" {
  for_each = ["a", "b"]
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "b" {
  for_each = local.list
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "c" {
  for_each = 3
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "d" {
  for_each = toset(var.secret)
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "e" {
  for_each = null
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "f" {
  for_each = toset([1, 2])
  server "a" { address = "stratum+tcp://${each.key}.example:3333" }
}
pool "g" {
  server "a" { address = "stratum+tcp://${each.key}.example:3333" }
}
