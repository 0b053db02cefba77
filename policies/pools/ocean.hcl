# OCEAN, and a DATUM Gateway of your own: every miner becomes a worker of one address.
#
# Names are address, or address.worker. A gateway takes 191 characters of name, and reads
# more into one than the pool does (its doc/usernames.md):
#
#   .worker            a name that begins with a dot is a worker of the gateway's address
#   address.worker~m   the gateway's modifier m, which gives parts of the shares to others
#
# So a tilde in a miner's name is a way to give its shares to somebody else. Here it
# becomes an underscore, and the modifier is chosen in the policy, with datum_modifier.
# Modifiers work in a gateway whose pool_username_behaviour is "passthrough" or
# "strip_worker", and not at the pool itself. A gateway closes connections whose request
# has an id that is no whole number (bfgminer's "auth").
#
# Usage:
#
#     include = ["policies/pools/ocean.hcl"]
#
#     pool "ocean" {
#       server "main" { address = "stratum+tcp://mine.ocean.xyz:3334" }
#     }
#
#     pool "gateway" {
#       server "lan" { address = "stratum+tcp://gateway.example:23334" }
#     }
#
#     proxy "farm" {
#       pool = pool.ocean
#       listener "tcp" { address = ":3333" }
#
#       use "address_worker" {
#         address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
#         names   = local.ocean_names
#       }
#     }
#
#     proxy "shared" {
#       pool = pool.gateway
#       listener "tcp" { address = ":3334" }
#
#       use "address_worker" {
#         address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"
#         names   = local.ocean_names
#       }
#       use "datum_modifier" {
#         modifier = "landlord"
#       }
#     }

include = ["address_worker.hcl"]

locals {
  ocean_names = { extra = "-_", filler = "_", length = 64 }
}

ruleset "datum_modifier" {
  variable "modifier" {
    type        = string
    description = "a name under username_modifiers in the gateway's configuration"

    validation {
      condition     = can(regex("^[^~\\s]+$", var.modifier))
      error_message = "A modifier is a name without tildes and spaces, and not empty."
    }
  }

  # Used behind address_worker, so that no name has a tilde of the miner's.
  request "mining.authorize" "modifier" {
    set {
      user = "account(user, '~') + '~' + var.modifier"
    }
  }
}
