# Braiins Pool: every miner becomes a worker of one account.
#
# A worker's name has letters, digits and -_@+: (the pool's help page on user names and
# passwords, article 77000423600). What does not fit is not refused but counted under a
# worker [auto], where it is hard to find again, so it is put right here. The pool ignores
# the password; it gets "x".
#
# Usage:
#
#     include = ["policies/pools/braiins.hcl"]
#
#     pool "braiins" {
#       server "main" { address = "stratum+tcp://stratum.braiins.com:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.braiins
#       listener "tcp" { address = ":3333" }
#
#       use "account_worker" {
#         account = "myfarm"
#         names   = local.braiins_names
#       }
#     }

include = ["account_worker.hcl"]

locals {
  braiins_names = { extra = "-_@+:", filler = "_" }
}
