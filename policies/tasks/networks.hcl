# Who may connect, by network: before a byte is read, and before the pool hears of it.
#
# allow_networks lets only its networks in; block_networks keeps its networks out. A denied
# connection is closed without a word.
#
# Behind a load balancer all miners have its address.
#
# Usage:
#
#     include = ["policies/tasks/networks.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "block_networks" {
#         networks = ["10.66.0.0/16"]
#       }
#       use "allow_networks" {
#         networks = ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8", "127.0.0.1/32"]
#       }
#     }

ruleset "allow_networks" {
  variable "networks" {
    type        = list(string)
    description = "the networks that may connect"

    validation {
      condition = length([
        for network in var.networks : network if !can(regex("^(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([.](25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}(/(3[0-2]|[12]?[0-9]))?$", network)) &&
        !can(regex("^[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$", network))
      ]) == 0
      error_message = "A network looks like 10.0.0.0/8 or fd00::/8, or is one address."
    }
    validation {
      condition     = length(var.networks) > 0
      error_message = "Without networks nobody could connect."
    }
  }

  connect "not_allowed" {
    when = "not inCIDR(client.ip, var.networks)"
    deny {}
  }
}

ruleset "block_networks" {
  variable "networks" {
    type        = list(string)
    description = "the networks that may not connect"

    validation {
      condition = length([
        for network in var.networks : network if !can(regex("^(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([.](25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}(/(3[0-2]|[12]?[0-9]))?$", network)) &&
        !can(regex("^[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$", network))
      ]) == 0
      error_message = "A network looks like 10.0.0.0/8 or fd00::/8, or is one address."
    }
  }

  connect "blocked" {
    when = "inCIDR(client.ip, var.networks)"
    deny {}
  }
}
