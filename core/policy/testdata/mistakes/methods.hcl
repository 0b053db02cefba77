include = ["base/base.hcl"]

proxy "x" {
  pool = pool.main
  listener "tcp" { address = ":4441" }
  request "mining.\"submit\"" "quotes" {
    drop {}
  }
  request "mining.\\submit" "backslash" {
    drop {}
  }
  request "" "empty" {
    drop {}
  }
}
