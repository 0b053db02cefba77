pool "main" {
  server "eu" { address = "stratum+tcp://pool.example:3333" }
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":3333" }
}
