# ViaBTC: every miner becomes a worker of one mining account.
#
# Names are account.worker, as in myfarm.001. Letters and digits are what is safe in a
# worker's name; the pool's own rule is not known, so everything else becomes an x here.
# To allow more:
#
#   names = merge(local.viabtc_names, { extra = "-_", filler = "_" })
#
# Usage:
#
#     include = ["policies/pools/viabtc.hcl"]
#
#     pool "viabtc" {
#       server "main" { address = "stratum+tcp://btc.viabtc.io:3333" }
#       server "443" { address = "stratum+tcp://btc.viabtc.io:443" }
#     }
#
#     proxy "farm" {
#       pool = pool.viabtc
#       listener "tcp" { address = ":3333" }
#
#       use "account_worker" {
#         account  = "myfarm"
#         names    = local.viabtc_names
#         fallback = "001"
#       }
#     }

include = ["account_worker.hcl"]

locals {
  viabtc_names = { extra = "", filler = "x" }
}
