include = ["base/base.hcl"]

pool "x" {
  dial_timout = "5s"
  server "a" {
    adress = "stratum+tcp://a.example:3333"
  }
}
