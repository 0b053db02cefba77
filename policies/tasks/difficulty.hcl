# Difficulty: three ways to ask for more of it, and what each costs.
#
# difficulty_option puts d=N into the password, for pools that read it there (another key
# is option's to give). The pool then sets the difficulty itself and credits shares with
# it: nothing is lost. Everything else in the password stays.
#
# difficulty_suggestion raises what miners suggest with mining.suggest_difficulty, for
# pools that listen to that: NerdMiner suggests 0.00015, and Bitaxe what its settings say.
# Nothing is lost here either, and miners that suggest nothing are left alone.
#
# difficulty_floor raises what the pool sets, on its way to the miner. A share then is as
# hard as the floor, but the pool credits it with its own, lower difficulty: where the pool
# pays for shares, the difference is not paid. It is for solo mining, where only blocks
# count, and for machines that choke on too many shares. loka never lowers a difficulty.
#
# Usage:
#
#     include = ["policies/tasks/difficulty.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "difficulty_option" {
#         difficulty = 65536
#       }
#     }
#
#     proxy "solo" {
#       pool = pool.main
#       listener "tcp" { address = ":3334" }
#
#       use "difficulty_suggestion" {
#         least = 1024
#       }
#       use "difficulty_floor" {
#         floor = 1024
#       }
#     }

ruleset "difficulty_option" {
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

  request "mining.authorize" "difficulty_option" {
    set {
      password = "withOption(password, var.option, string(var.difficulty))"
    }
  }
}

ruleset "difficulty_suggestion" {
  variable "least" {
    type        = number
    description = "the lowest difficulty that is suggested to the pool"

    validation {
      condition     = var.least > 0
      error_message = "The difficulty is a number above 0."
    }
  }

  request "mining.suggest_difficulty" "suggest_more" {
    when = "difficulty < var.least"
    set {
      difficulty = "var.least"
    }
  }
}

ruleset "difficulty_floor" {
  variable "floor" {
    type        = number
    description = "the lowest difficulty that miners work at"

    validation {
      condition     = var.floor > 0
      error_message = "The difficulty is a number above 0."
    }
  }

  notification "mining.set_difficulty" "floor" {
    when = "difficulty < var.floor"
    set {
      difficulty = "var.floor"
    }
  }
}
