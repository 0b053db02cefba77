pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}

test "nobody to connect to" {
  connect {}
}
