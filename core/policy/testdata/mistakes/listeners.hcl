include = ["base/base.hcl"]

proxy "x" {
  pool = pool.main
  listener "tcp" { address = "0.0.0.0:3333" }
  listener "tcp" { address = "3333" }
  listener "tcp" { address = "tcp://:3334" }
  listener "tcp" { address = ":http" }
  listener "tcp" { address = ":70000" }
  listener "unix" { address = ":3335" }
  listener "tcp" { address = "127.0.0.1:0" }
  listener "tcp" { address = "127.0.0.1:0" }
}
proxy "y" {
  for_each = { a = 1, b = 2 }
  pool     = pool.main
  listener "tcp" { address = ":5555" }
}
proxy "z" {
  pool = pool.main
}
proxy "zz" {
  listener "tcp" { address = ":6666" }
}

admin {
  address = "localhost:4470"
}
proxy "wide" {
  pool = pool.main
  listener "tcp" { address = ":4450" }
  listener "tcp" { address = "127.0.0.1:4450" }
  listener "tcp" { address = "127.0.0.1:4451" }
  listener "tcp" { address = "[::1]:4451" }
  listener "tcp" { address = "[::ffff:127.0.0.1]:4451" }
  listener "tcp" { address = "0.0.0.0:4451" }
  listener "tcp" { address = "[::]:4450" }
  listener "tcp" { address = ":04470" }
  listener "tcp" { address = "127.0.0.1:4470" }
  listener "tcp" { address = "127.0.0.2:4470" }
}
