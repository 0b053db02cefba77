# One wallet for all: whatever a miner logs in as becomes a worker of one address or
# account.
#
#   john.test                                 WALLET.john_test
#   WALLET.rig7                               WALLET.rig7        it is there already
#   rig7~m                                    WALLET.rig7_m
#   (no name)                                 WALLET
#
# What is no letter, digit, - or _ becomes an underscore: to some pools other characters
# mean something (a DATUM Gateway gives shares to others behind a tilde).
#
# This is the short form, to read and to change. The files in policies/pools do the same
# with more care for what a certain pool takes in a name.
#
# Usage:
#
#     include = ["policies/tasks/one_wallet.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "one_wallet" {
#         wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
#       }
#     }

ruleset "one_wallet" {
  variable "wallet" {
    type        = string
    description = "the address or account that is paid"

    validation {
      condition     = can(regex("^[^.~\\s]+$", var.wallet))
      error_message = "The wallet is not empty and has no dots, tildes and spaces."
    }
  }

  request "mining.authorize" "to_wallet" {
    set {
      user = <<-EXPR
        let own = user == var.wallet ? '' : trimPrefix(user, var.wallet + '.');
        let rig = join(map(split(own, ''), # matches '^[A-Za-z0-9_-]$' ? # : '_'), '');
        rig == '' ? var.wallet : var.wallet + '.' + rig
      EXPR
    }
  }
}
