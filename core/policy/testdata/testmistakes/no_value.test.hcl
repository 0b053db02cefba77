variable "wallet" {
  type = string
}

variable "share" {
  type = number
}

locals {
  name = "${var.wallet}.x"
}

pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}

proxy "main" {
  pool = pool.main
  listener "tcp" { address = ":3333" }

  request "mining.authorize" "x" {
    set { user = "var.wallet + '.' + local.name + user" }
  }
}

variables {
  share = 5
}

test "given" {
  variables {
    wallet = "37vuX2"
  }
  connect {}
}

test "not given" {
  connect {}
}
