include = ["base/base.hcl"]

drain_timeout = "soon"
pool "x" {
  dial_timeout  = "5"
  reply_timeout = 15
  idle_timeout  = "0s"
  write_timeout = "-1s"
  server "a" { address = "stratum+tcp://a.example:3333" }
}
proxy "y" {
  pool = pool.x
  listener "tcp" {
    address           = ":4444"
    handshake_timeout = "1ns"
    write_timeout     = "25h"
  }
}
