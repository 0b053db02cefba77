pool "p" {
  server "a" { address = "stratum+tcp://pool.example:3333" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = ":3333" }
}
admin {
  address = "0.0.0.0:9464"
  token   = "short"
}
