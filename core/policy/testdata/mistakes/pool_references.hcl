include = ["base/base.hcl"]

pool "site" {
  for_each = toset(["braiins", "ckpool"])
  server "a" { address = "stratum+tcp://${each.key}.example:3333" }
}
proxy "a" {
  pool = "pool.main"
  listener "tcp" { address = ":4441" }
}
proxy "b" {
  pool = pool.site
  listener "tcp" { address = ":4442" }
}
proxy "c" {
  pool = pool.site["brains"]
  listener "tcp" { address = ":4443" }
}
proxy "d" {
  for_each = toset(["ckpol"])
  pool     = pool.site[each.key]
  listener "tcp" { address = ":4444" }
}
proxy "e" {
  pool = pool.mian
  listener "tcp" { address = ":4445" }
}
proxy "f" {
  pool = pools.main
  listener "tcp" { address = ":4446" }
}
proxy "g" {
  pool = null
  listener "tcp" { address = ":4447" }
}
proxy "h" {
  pool = 5
  listener "tcp" { address = ":4448" }
}
