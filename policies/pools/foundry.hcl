# Foundry USA Pool: every miner becomes a worker of one sub-account.
#
# Each sub-account has a payout address of its own, so the account in the name says who is
# paid. Letters and digits are what is safe in a worker's name; the pool's own rule is not
# known, so everything else becomes an x here. To allow more:
#
#   names = merge(local.foundry_names, { extra = "-_", filler = "_" })
#
# Usage:
#
#     include = ["policies/pools/foundry.hcl"]
#
#     pool "foundry" {
#       server "main" { address = "stratum+tcp://btc.foundryusapool.com:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.foundry
#       listener "tcp" { address = ":3333" }
#
#       use "account_worker" {
#         account = "mysubaccount"
#         names   = local.foundry_names
#       }
#     }

include = ["account_worker.hcl"]

locals {
  foundry_names = { extra = "", filler = "x" }
}
