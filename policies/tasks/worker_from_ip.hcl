# Worker names from addresses: for machines that nobody has named, all of which log in the
# same. 10.1.2.3 becomes the worker 10x1x2x3, as Antminers call themselves when they are
# told to use their address. An IPv6 address has an x for each colon.
#
# Addresses must be fixed (or leased for long), and no NAT may stand between the miners
# and loka.
#
# Usage:
#
#     include = ["policies/tasks/worker_from_ip.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "worker_from_ip" {
#         account = "myfarm"
#       }
#     }

ruleset "worker_from_ip" {
  variable "account" {
    type        = string
    description = "the address or account that is paid"

    validation {
      condition     = can(regex("^[^.~\\s]+$", var.account))
      error_message = "The account is what stands before the first dot of a name: not empty, without dots, tildes and spaces."
    }
  }

  request "mining.authorize" "by_address" {
    set {
      user = "var.account + '.' + replace(replace(client.ip, '.', 'x'), ':', 'x')"
    }
  }
}
