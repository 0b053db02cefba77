# The pools. To add one is to add an entry: a port for miners, the pool's servers in the
# order in which they are tried, and, where names are account.worker, the account. Without
# an account names are the wallet's.
variable "pools" {
  type = map(object({
    port    = number
    servers = list(string)
    account = optional(string)
    # what stands in for dots and other characters in a worker's name
    filler = optional(string, "_")
  }))
  description = "the pools, each with the port of its proxy"

  default = {
    braiins = {
      port    = 3333
      servers = ["stratum+tcp://stratum.braiins.com:3333"]
      account = "myfarm"
    }
    ckpool = {
      port    = 3334
      servers = ["stratum+tcp://solo.ckpool.org:3333", "stratum+tcp://eusolo.ckpool.org:3333"]
    }
    viabtc = {
      port    = 3335
      servers = ["stratum+tcp://btc.viabtc.io:3333"]
      account = "myfarm"
      filler  = "x"
    }
  }

  validation {
    condition     = length(distinct([for pool in var.pools : pool.port])) == length(var.pools)
    error_message = "Each pool needs a port of its own."
  }
  validation {
    condition     = length([for pool in var.pools : pool if pool.account != null && !can(regex("^[^.~\\s]+$", pool.account))]) == 0
    error_message = "An account is what stands before the first dot of a name: not empty, without dots, tildes and spaces. Leave it away where names are the wallet's."
  }
  validation {
    condition     = length([for pool in var.pools : pool if !can(regex("^[^.~\\s]?$", pool.filler))]) == 0
    error_message = "A filler is one character or none, and no dot, tilde or space."
  }
}
