# MiningRigRentals, from both sides.
#
# You own the rig: your machines connect to a server of the site as yourname.rigid, all of
# a rig's machines under the same name, and work for whoever rents it. mrr_rig gives them
# that name whatever they log in as. For several rigs write a proxy with for_each, with a
# port and a number for each (as in policies/templates/one-proxy-per-pool). When the
# renter's pool is gone the site closes the connection, and miners come back by themselves.
# The difficulty is the renter's pool's: keep difficulty_floor (tasks/difficulty.hcl) away
# from such a proxy.
#
# You rent: somebody's machines connect to a listener of yours under the worker and the
# password that you typed into the rental. Where your pool reads d= in the password,
# mrr_rental puts the difficulty there that suits the rig: the site shows it as the rig's
# suggested difficulty, and tells owners to complain when it is off by more than half.
# Names other than those that you gave to rentals are refused, in shares as well.
#
# Usage:
#
#     include = ["policies/pools/miningrigrentals.hcl"]
#
#     pool "mrr" {
#       server "eu" { address = "stratum+tcp://eu-01.miningrigrentals.com:3333" }
#     }
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "rig" {
#       pool = pool.mrr
#       listener "tcp" { address = ":3333" }
#
#       use "mrr_rig" {
#         account = "myname"
#         rig     = "123456"
#       }
#     }
#
#     proxy "rented" {
#       pool = pool.main
#       listener "tcp" { address = ":3334" }
#
#       use "mrr_rental" {
#         names      = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.rental"]
#         difficulty = 262144
#       }
#     }

ruleset "mrr_rig" {
  variable "account" {
    type        = string
    description = "your user name at the site"

    validation {
      condition     = can(regex("^[^.~\\s]+$", var.account))
      error_message = "The account is what stands before the first dot of a name: not empty, without dots, tildes and spaces."
    }
  }

  variable "rig" {
    type        = string
    description = "the number of the rig"

    validation {
      condition     = can(regex("^[0-9]+$", var.rig))
      error_message = "A rig is known by its number, as in \"123456\"."
    }
  }

  request "mining.authorize" "to_rig" {
    set {
      user     = "var.account + '.' + var.rig"
      password = "'x'"
    }
  }
}

ruleset "mrr_rental" {
  variable "names" {
    type        = list(string)
    description = "the names that you gave to rentals"

    validation {
      condition     = length(var.names) > 0 && length([for name in var.names : name if !can(regex("^[^.~\\s][^~\\s]*$", name))]) == 0
      error_message = "There is a name at least, and none is empty, begins with a dot, or has a tilde or a space in it."
    }
  }

  variable "difficulty" {
    type        = number
    description = "the difficulty that the pool is asked for"

    validation {
      condition     = var.difficulty > 0
      error_message = "The difficulty is a number above 0."
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

  request "mining.authorize" "only_rentals" {
    when = "not (user in var.names)"
    deny {
      code    = 24
      message = "Unauthorized worker"
    }
  }

  request "mining.submit" "only_rentals_shares" {
    when = "not (user in var.names or pool_user in var.names)"
    deny {
      code    = 24
      message = "Unauthorized worker"
    }
  }

  request "mining.authorize" "difficulty" {
    set {
      password = "withOption(password, var.option, string(var.difficulty))"
    }
  }
}
