include = ["base/base.hcl"]

pool "a" {
  strategy = "random"
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "b" {
  server "a" {
    address = "stratum+tcp://a.example:3333"
    weight  = 2
  }
}
pool "c" {
  strategy         = "weighted"
  response_timeout = "0s"
  server "a" {
    address = "stratum+tcp://a.example:3333"
    weight  = 0
  }
  server "b" {
    address = "stratum+tcp://b.example:3333"
    weight  = 1.5
  }
  health_check {}
  health_check {}
}
proxy "p" {
  for_each = {
    a = pool.a
    b = pool.b
    c = pool.c
  }
  pool                 = each.value
  on_all_down          = "keep"
  max_moves_per_second = 0
  max_concurrent_moves = "all"
  reconnect_grace      = 60
  listener "tcp" { address = each.key == "a" ? ":4441" : each.key == "b" ? ":4442" : ":4443" }
}
