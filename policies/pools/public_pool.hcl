# Public Pool (public-pool.io, or your own): every miner becomes a worker of one address.
#
# The port is 3333; older guides say 21496. Names are address.worker. The pool wants
# exactly two params in mining.authorize, so a miner that sends no password gets one here.
# A second mining.authorize on a connection replaces the first. Like ckpool it never
# answers mining.extranonce.subscribe: see tasks/no_extranonce.hcl.
#
# Usage:
#
#     include = ["policies/pools/public_pool.hcl"]
#
#     pool "solo" {
#       server "main" { address = "stratum+tcp://public-pool.io:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.solo
#       listener "tcp" { address = ":3333" }
#
#       use "address_worker" {
#         address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
#         names   = local.public_pool_names
#       }
#     }

include = ["address_worker.hcl"]

locals {
  public_pool_names = { extra = "-_", filler = "_" }
}
