# Pools without accounts, where the name is a Bitcoin address and a worker: two ways.
#
# address_worker: every miner becomes a worker of one address, yours.
#
#   john.test             37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test
#   (address).rig7        (address).rig7        the address is there already
#   (no name)             (address).default
#
# own_address: every miner brings its own address, as customers of a host do, and what is
# none is refused. A mistyped address is one that pays nobody, and some pools do not say
# so before the payout. What is checked is the form, not the check sum: the pool does that.
# Shares are looked at as well: some pools credit the name in the share whatever was
# authorised.
#
# Addresses are those of Bitcoin's main network: bc1…, 1… and 3…. address_worker also takes
# the mining addresses that NiceHash gives (NHb…, see nicehash.hcl), which no other pool
# knows.
#
# Usage:
#
#     include = ["policies/pools/address_worker.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "mine" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "address_worker" {
#         address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
#       }
#     }
#
#     proxy "customers" {
#       pool = pool.main
#       listener "tcp" { address = ":3334" }
#
#       use "own_address" {}
#     }

ruleset "address_worker" {
  variable "address" {
    type        = string
    description = "the address that is paid"

    validation {
      condition     = can(regex("^(bc1[02-9ac-hj-np-z]{39,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|NHb[1-9A-HJ-NP-Za-km-z]{33})$", var.address))
      error_message = "This does not look like a Bitcoin address (bc1…, 1… or 3…), nor like one of NiceHash (NHb…)."
    }
  }

  variable "names" {
    type = object({
      # characters that a worker name may have besides letters and digits
      extra = optional(string, "-_")
      # what stands in for every other character; may be empty
      filler = optional(string, "_")
      # characters of a worker name, at most
      length = optional(number, 32)
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

  request "mining.authorize" "to_address" {
    set {
      user     = <<-EXPR
        let own = user == var.address ? '' : trimPrefix(user, var.address + '.');
        let legal = map(split(own[:64], ''), # matches '^[A-Za-z0-9]$' or var.names.extra contains # ? # : var.names.filler);
        let rig = join(legal, '')[:var.names.length];
        var.address + '.' + (rig == '' ? var.fallback : rig)
      EXPR
      password = "var.password == '' ? password : var.password"
    }
  }
}

ruleset "own_address" {
  request "mining.authorize" "no_address" {
    when = <<-EXPR
      not (user matches '^(bc1[02-9ac-hj-np-z]{39,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34})([.][A-Za-z0-9_-]{1,64})?$')
    EXPR
    deny {
      code    = 24
      message = "The name must be a Bitcoin address, or address.worker"
    }
  }

  # The name in a share is the miner's own, or, where a rule has mapped it, known by what
  # it was mapped to.
  request "mining.submit" "no_address_share" {
    when = <<-EXPR
      not (user matches '^(bc1[02-9ac-hj-np-z]{39,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34})([.][A-Za-z0-9_-]{1,64})?$' or pool_user matches '^(bc1[02-9ac-hj-np-z]{39,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34})([.][A-Za-z0-9_-]{1,64})?$')
    EXPR
    deny {
      code    = 24
      message = "The name must be a Bitcoin address, or address.worker"
    }
  }
}
