# Methods that have no business here.
#
# stay_here holds back a pool's client.reconnect, which would send miners to another host.
# loka never passes one on anyway; with this rule it is counted under a name of its own.
#
# no_upgrades refuses what turns a miner's connection into something else: a plain ckpool
# takes mining.passthrough from anybody, and mining.node, mining.remote and mining.term are
# for its own servers; agent.get_capabilities begins the binary protocol of BTCAgent.
#
# known_methods refuses every method that no miner needs. Those that one does need are in
# its list, pong too: ESP-Miner answers a ping with a request of that name. More go into
# also.
#
# Usage:
#
#     include = ["policies/tasks/methods.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "stay_here" {}
#       use "no_upgrades" {}
#     }
#
#     proxy "strict" {
#       pool = pool.main
#       listener "tcp" { address = ":3334" }
#
#       use "stay_here" {}
#       use "known_methods" {
#         also = ["mining.get_txnhashes"]
#       }
#     }

ruleset "stay_here" {
  notification "client.reconnect" "stay" {
    drop {}
  }
}

ruleset "no_upgrades" {
  request "*" "no_upgrade" {
    when = <<-EXPR
      method in ['mining.passthrough', 'mining.node', 'mining.remote', 'mining.term', 'agent.get_capabilities']
    EXPR
    deny {
      code    = 20
      message = "Method not found"
    }
  }
}

ruleset "known_methods" {
  variable "also" {
    type        = list(string)
    default     = []
    description = "methods that pass besides those that miners need"
  }

  request "*" "unknown_method" {
    when = <<-EXPR
      not (method in var.also or method in [
        'mining.subscribe', 'mining.authorize', 'mining.submit', 'mining.configure',
        'mining.suggest_difficulty', 'mining.suggest_target', 'mining.extranonce.subscribe',
        'mining.multi_version', 'mining.capabilities', 'mining.get_transactions', 'mining.ping', 'pong',
      ])
    EXPR
    deny {
      code    = 20
      message = "Method not found"
    }
  }
}
