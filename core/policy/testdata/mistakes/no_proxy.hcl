pool "main" {
  server "eu" { address = "stratum+tcp://pool.example:3333" }
}
