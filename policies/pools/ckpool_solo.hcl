# ckpool's solo pools (solo.ckpool.org and its like): every miner becomes a worker of one
# address.
#
# Names are address, or address.worker; any password. ckpool refuses a name that begins
# with a dot or an underscore or has a slash in it, and one whose address is not valid. The
# name ends for it at the first dot or underscore, and all of a connection's shares must
# come under the name that it was authorised for, which they do here.
#
# ckpool drops a miner whose line is longer than 1023 bytes; loka makes no longer ones. It
# never answers mining.extranonce.subscribe: see tasks/no_extranonce.hcl. It takes
# mining.passthrough from anyone: see tasks/methods.hcl.
#
# Usage:
#
#     include = ["policies/pools/ckpool_solo.hcl"]
#
#     pool "solo" {
#       server "main" { address = "stratum+tcp://solo.ckpool.org:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.solo
#       listener "tcp" { address = ":3333" }
#
#       use "address_worker" {
#         address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
#         names   = local.ckpool_names
#       }
#     }

include = ["address_worker.hcl"]

locals {
  ckpool_names = { extra = "-_", filler = "_" }
}
