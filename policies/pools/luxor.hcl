# Luxor: every miner becomes a worker of one account.
#
# The pool's instructions for miners: a worker's name can be anything, but symbols and
# special characters may make it invalid. A hyphen is seen in names there, so it stands in
# for everything but letters and digits: john.test becomes myfarm.john-test.
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
