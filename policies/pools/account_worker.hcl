# Pools with accounts: every miner becomes a worker of one account.
#
# Such pools take names of the form account.worker, and each has its own idea of what a
# worker may be called. Whatever a miner logs in as, this makes a name of it that the
# pool takes:
#
#   john.test         myfarm.john_test
#   myfarm.rig7       myfarm.rig7        the account is there already
#   rack 3/slot 12    myfarm.rack_3_slot_12
#   (no name)         myfarm.default
#
# The name holds for the shares too: miners go on to submit under their own.
#
# Usage:
#
#     include = ["policies/pools/account_worker.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "account_worker" {
#         account = "myfarm"
#       }
#     }
#
# The files of single pools (braiins.hcl and so on) include this one and say, in names,
# which worker names that pool takes.

ruleset "account_worker" {
  variable "account" {
    type        = string
    description = "the account or sub-account at the pool"

    validation {
      condition     = can(regex("^[^.~\\s]+$", var.account))
      error_message = "The account is what stands before the first dot of a name: not empty, without dots, tildes and spaces."
    }
  }

  variable "names" {
    type = object({
      # characters that a worker name may have besides letters and digits
      extra = optional(string, "-_")
      # what stands in for every other character; may be empty
      filler = optional(string, "_")
      # characters of a worker name, at most
      length    = optional(number, 32)
      lowercase = optional(bool, false)
    })
    default     = {}
    description = "the worker names that the pool takes"

    validation {
      condition     = var.names.length >= 1 && var.names.length <= 64 && floor(var.names.length) == var.names.length
      error_message = "A worker name has 1 to 64 characters, and length is a whole number."
    }
    validation {
      condition     = can(regex("^[^.~\\s]?$", var.names.filler))
      error_message = "filler is one character or none, and no dot, tilde or space."
    }
    validation {
      condition     = can(regex("^[^~\\s]*$", var.names.extra))
      error_message = "extra is the characters themselves, as in \"-_\", without tilde and space."
    }
  }

  variable "fallback" {
    type        = string
    default     = "default"
    description = "the worker of miners that give no name"

    validation {
      condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.fallback))
      error_message = "The fallback is a worker name: 1 to 64 letters, digits, - and _."
    }
  }

  variable "password" {
    type        = string
    default     = "x"
    description = "the password that the pool gets; empty leaves the miner's own"
  }

  request "mining.authorize" "to_account" {
    set {
      user     = <<-EXPR
        let own = user == var.account ? '' : trimPrefix(user, var.account + '.');
        let cut = var.names.lowercase ? lower(own[:64]) : own[:64];
        let legal = map(split(cut, ''), # matches '^[A-Za-z0-9]$' or var.names.extra contains # ? # : var.names.filler);
        let rig = join(legal, '')[:var.names.length];
        var.account + '.' + (rig == '' ? var.fallback : rig)
      EXPR
      password = "var.password == '' ? password : var.password"
    }
  }
}
