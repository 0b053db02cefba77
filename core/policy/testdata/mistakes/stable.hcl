include = ["base/base.hcl"]

proxy "x" {
  pool       = pool.main
  extranonce = "stable"
  listener "tcp" { address = ":4441" }
}
proxy "y" {
  pool       = pool.main
  extranonce = "stabel"
  listener "tcp" { address = ":4442" }
}
