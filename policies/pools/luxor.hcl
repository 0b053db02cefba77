# Luxor: every miner becomes a worker of one account.
#
# Guides to the pool say that a worker's name can be anything, but that symbols and special
# characters may make it invalid. A hyphen is seen in names there, so it stands in for
# everything but letters and digits: john.test becomes myfarm.john-test.
#
# Usage:
#
#     include = ["policies/pools/luxor.hcl"]
#
#     pool "luxor" {
#       server "main" { address = "stratum+tcp://btc.global.luxor.tech:700" }
#     }
#
#     proxy "farm" {
#       pool = pool.luxor
#       listener "tcp" { address = ":3333" }
#
#       use "account_worker" {
#         account = "myfarm"
#         names   = local.luxor_names
#       }
#     }

include = ["account_worker.hcl"]

locals {
  luxor_names = { extra = "-", filler = "-" }
}
