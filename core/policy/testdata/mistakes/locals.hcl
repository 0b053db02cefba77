include = ["base/base.hcl"]

locals {
  a    = local.b
  b    = [local.c, local.a]
  c    = local.a
  self = local.self
  ok   = local.late
  late = pool.main
  typo = local.lat
}
locals {
  ok = 1
}
pool "x" {
  for_each = { a = local.late }
  server "a" { address = "stratum+tcp://a.example:3333" }
}
