# AntPool: every miner becomes a worker of one sub-account.
#
# Antminers that are named after their address come to this pool as account.10x1x2x3: an x
# where the dots were. That form is used for every name here, since letters and digits are
# what is safe; the pool's own rule for worker names is not known. To allow more:
#
#   names = merge(local.antpool_names, { extra = "-_", filler = "_" })
#
# Usage:
#
#     include = ["policies/pools/antpool.hcl"]
#
#     pool "antpool" {
#       server "main" { address = "stratum+tcp://ss.antpool.com:3333" }
#       server "443" { address = "stratum+tcp://ss.antpool.com:443" }
#     }
#
#     proxy "farm" {
#       pool = pool.antpool
#       listener "tcp" { address = ":3333" }
#
#       use "account_worker" {
#         account = "mysubaccount"
#         names   = local.antpool_names
#       }
#     }

include = ["account_worker.hcl"]

locals {
  antpool_names = { extra = "", filler = "x" }
}
