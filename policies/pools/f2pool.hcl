# F2Pool: every miner becomes a worker of one account.
#
# The pool creates workers as they connect. Its miners' page once said: "at most 15 digits
# or lowercase letters"; whoever keeps to that is safe whatever has been allowed since. So
# a worker's name is lower case here, is cut after 15 characters, and has an x for what is
# neither letter nor digit: 10.1.2.3 becomes 10x1x2x3. To try more:
#
#   names = merge(local.f2pool_names, { length = 32 })
#
# Usage:
#
#     include = ["policies/pools/f2pool.hcl"]
#
#     pool "f2pool" {
#       server "main" { address = "stratum+tcp://btc.f2pool.com:1314" }
#       server "eu" { address = "stratum+tcp://btc-euro.f2pool.com:1314" }
#     }
#
#     proxy "farm" {
#       pool = pool.f2pool
#       listener "tcp" { address = ":3333" }
#
#       use "account_worker" {
#         account = "myfarm"
#         names   = local.f2pool_names
#       }
#     }

include = ["account_worker.hcl"]

locals {
  f2pool_names = { extra = "", filler = "x", length = 15, lowercase = true }
}
