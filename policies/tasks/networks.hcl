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
  }

  connect "blocked" {
    when = "inCIDR(client.ip, var.networks)"
    deny {}
  }
}
