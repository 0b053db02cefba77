# An answer to mining.extranonce.subscribe, for pools that give none (ckpool, Public Pool).
#
# Some miners wait seconds for that answer, and Antminers' old firmware takes one that
# comes late for the answer to authorize. So the miner is told at once that the pool does
# not change extranonces. Leave this away from pools that do, such as NiceHash: there a
# miner that was told no must reconnect for every order.
#
# Usage:
#
#     include = ["policies/tasks/no_extranonce.hcl"]
#
#     pool "solo" {
#       server "main" { address = "stratum+tcp://solo.ckpool.org:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.solo
#       listener "tcp" { address = ":3333" }
#
#       use "no_extranonce" {}
#     }

ruleset "no_extranonce" {
  request "mining.extranonce.subscribe" "not_supported" {
    reply {
      result = "false"
      error  = "[20, 'Not supported.', nil]"
    }
  }
}
