include = ["base/base.hcl"]

proxy "x" {
  pool = pool.main
  listener "tcp" { address = ":4441" }
  request "mining.submit" "empty" {
    deny {
      code    = 0
      message = ""
    }
  }
  request "mining.submit" "blank" {
    deny {
      code    = -1
      message = "  "
    }
  }
  request "mining.submit" "as_if_left_out" {
    deny {
      code    = null
      message = null
    }
  }
}
