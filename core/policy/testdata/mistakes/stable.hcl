include = ["base/base.hcl"]

pool "wide" {
  extranonce2_size = 8
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "tight" {
  extranonce2_size = 2
  server "a" { address = "stratum+tcp://a.example:3334" }
}
proxy "w" {
  pool       = pool.wide
  extranonce = "stable"
  listener "tcp" { address = ":4440" }
}
proxy "x" {
  pool       = pool.tight
  extranonce = "stable"
  listener "tcp" { address = ":4441" }
}
proxy "y" {
  pool       = pool.main
  extranonce = "stable"
  listener "tcp" { address = ":4442" }
  request "mining.subscribe" "elsewhere" {
    when = "client.ip == '192.0.2.1'"
    route { pool = pool.tight }
  }
}
proxy "z" {
  pool       = pool.tight
  extranonce = "stabel"
  listener "tcp" { address = ":4443" }
}
