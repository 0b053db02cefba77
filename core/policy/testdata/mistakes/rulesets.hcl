include = ["base/base.hcl"]

ruleset "house" {
  variable "wallet" {
    type        = string
    description = "the address that is paid"
    validation {
      condition     = strlen(var.wallet) > 3
      error_message = "The wallet is too short."
    }
  }
  variable "ports" {
    type    = list(number)
    default = []
  }
  request "mining.submit" "x" {
    drop {}
  }
}
ruleset "closed" {
  request "mining.submit" "x" {
    deny { message = var.wallet }
  }
  request "mining.submit" "y" {
    deny { message = local.wallet }
  }
}
proxy "a" {
  pool = pool.main
  listener "tcp" { address = ":4441" }
  use "hause" {}
  use "house" {}
  use "house" {
    walet = "x"
  }
  use "house" {
    wallet = "37vu"
    ports  = ["one"]
  }
  use "house" {
    wallet = "37"
  }
}
