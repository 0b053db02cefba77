# A guard of payouts: names that would pay somebody else are refused, with code 24.
#
# The names are those of miners where the guard is used before the rules that map them, so
# that a machine which somebody has turned to another wallet is found; and those that the
# pool would get where it is used behind them, so that a mistake in the mapping pays
# nobody. The account is what stands before the separator. Shares are looked at as well:
# some pools credit the name in the share whatever was authorised.
#
# A refusal counts in loka_rule_matches_total of its rule, and the miner gets it as an error.
#
# ckpool ends the address at the first dot or underscore. With the separator "." a name
# such as ADDRESS_rig7 is refused here, which is safe.
#
# Usage:
#
#     include = ["policies/tasks/payout_guard.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "payout_guard" {
#         accounts = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ", "myfarm"]
#       }
#     }

ruleset "payout_guard" {
  variable "accounts" {
    type        = list(string)
    description = "the accounts and addresses that may be paid"

    validation {
      condition     = length(var.accounts) > 0
      error_message = "A guard that lets no account pass refuses every miner."
    }
  }

  variable "separator" {
    type        = string
    default     = "."
    description = "what stands between account and worker"
  }

  request "mining.authorize" "foreign_account" {
    when = "not (account(user, var.separator) in var.accounts)"
    deny {
      code    = 24
      message = "This account is not served here"
    }
  }

  request "mining.submit" "foreign_share" {
    when = <<-EXPR
      not (account(user, var.separator) in var.accounts or account(pool_user, var.separator) in var.accounts)
    EXPR
    deny {
      code    = 24
      message = "This account is not served here"
    }
  }
}
