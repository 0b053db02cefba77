# NiceHash, from both sides.
#
# You sell: your miners' hash rate goes to NiceHash. Names are the mining address (the one
# that the site gives you begins with NHb, and Bitcoin addresses are taken too) and a
# worker, the password is x; this is the same as at any pool with addresses (see
# address_worker.hcl). What a miner says besides is passed on, so that
# mining.extranonce.subscribe works and a miner need not reconnect when its order changes.
#
# You buy: NiceHash connects to a listener of yours, as one miner after another, with the
# name and the password that you gave it for your pool. What it is particular about:
#
#   * It wants a high difficulty from the start. The least is minimalPoolDifficulty of the
#     algorithm in https://api2.nicehash.com/main/api/v2/mining/algorithms. Where your pool
#     reads d= in the password, nicehash_orders puts it there; other pools have a port for
#     high difficulties.
#   * Its subscribe is ["NiceHash/1.0.0", …], and what stands behind the first param means
#     something to some pools. Do not cut it off: agent_only in tasks/firmware.hcl leaves
#     it alone.
#   * It is reported to want 4 bytes of extranonce2 at least.
#
# A listener for NiceHash is open to the world, and others find it too: nicehash_orders
# refuses who has not said in its subscribe that it is NiceHash, and the names and shares
# of such a miner. That is no proof; who is paid for the shares is for
# tasks/payout_guard.hcl to watch.
#
# Usage:
#
#     include = ["policies/pools/nicehash.hcl"]
#
#     pool "nicehash" {
#       server "auto" { address = "stratum+tcp://sha256asicboost.auto.nicehash.com:9200" }
#     }
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "sold" {
#       pool = pool.nicehash
#       listener "tcp" { address = ":3333" }
#
#       use "address_worker" {
#         address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
#         names   = local.nicehash_names
#       }
#     }
#
#     proxy "bought" {
#       pool = pool.main
#       listener "tcp" { address = ":3334" }
#
#       use "nicehash_orders" {
#         difficulty = 1000000
#       }
#     }

include = ["address_worker.hcl"]

locals {
  # Letters and digits are safe; the site's own rule is not known.
  nicehash_names = { extra = "", filler = "x", length = 15 }
}

ruleset "nicehash_orders" {
  variable "difficulty" {
    type        = number
    description = "the difficulty that the pool is asked for"

    validation {
      condition     = var.difficulty >= 1 && floor(var.difficulty) == var.difficulty
      error_message = "The difficulty is a whole number from 1."
    }
  }

  variable "option" {
    type        = string
    default     = "d"
    description = "the option of the password that the pool reads it from"

    validation {
      condition     = can(regex("^[A-Za-z0-9_-]+$", var.option))
      error_message = "An option is one word of letters, digits, - and _, as in \"d\"."
    }
  }

  request "mining.subscribe" "only_nicehash" {
    when = "not (agent startsWith 'NiceHash/')"
    deny {
      message = "This port is for NiceHash"
    }
  }

  request "mining.authorize" "only_nicehash_names" {
    when = "not (client.agent startsWith 'NiceHash/')"
    deny {
      message = "This port is for NiceHash"
    }
  }

  request "mining.submit" "only_nicehash_shares" {
    when = "not (client.agent startsWith 'NiceHash/')"
    deny {
      message = "This port is for NiceHash"
    }
  }

  request "mining.authorize" "difficulty" {
    set {
      password = "withOption(password, var.option, string(var.difficulty))"
    }
  }
}
