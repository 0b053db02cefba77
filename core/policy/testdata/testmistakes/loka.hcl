variable "wallet" {
  type    = string
  default = "37vuX2"
  validation {
    condition     = strlen(var.wallet) > 3
    error_message = "A wallet has four letters at least."
  }
}

variable "ports" {
  type    = map(number)
  default = { a = 4441, b = 4442 }
}

variable "pool_password" {
  type      = string
  default   = "hunter22"
  sensitive = true
}

locals {
  names = ["john.test", "jane.test"]
}

pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}

pool "site" {
  for_each = var.ports
  server "a" { address = "stratum+tcp://${each.key}.example:${each.value}" }
}

proxy "main" {
  pool = pool.main
  listener "tcp" { address = ":3333" }
  use "house" {}

  request "mining.authorize" "paid" {
    set { user = "var.wallet + '.' + user" }
  }
}

proxy "site" {
  for_each = var.ports
  pool     = pool.site[each.key]
  listener "tcp" { address = ":${each.value}" }
}

ruleset "house" {
  request "mining.subscribe" "trim" {
    when = "len(params) > 1"
    set { params = "params[:1]" }
  }
  request "mining.*" "known" {
    when = "user == 'nobody'"
    deny {}
  }
  response "mining.authorize" "say" {
    when = "not ok"
    set { error = "[24, 'no', nil]" }
  }
}
