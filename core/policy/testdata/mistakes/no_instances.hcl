proxy "x" {
  for_each = {}
  pool     = pool.main
  listener "tcp" { address = ":4441" }
}
