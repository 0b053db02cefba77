# A guard of payouts: names that would pay somebody else are refused, with code 24.
#
# The names are those of miners where the guard is used before the rules that map them, so
# that a machine which somebody has turned to another wallet is found; and those that the
# pool would get where it is used behind them, so that a mistake in the mapping pays
# nobody. The account is what stands before the separator. Shares are looked at as well:
# some pools credit the name in the share whatever was authorised.
#
# A name with a character of forbidden in it is refused, whoever it pays: behind a tilde, as
# in myfarm.rig7~m, a DATUM Gateway reads who else gets a part of the shares.
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
    validation {
      condition     = length([for name in var.accounts : name if name == "" || split(var.separator, name)[0] != name]) == 0
      error_message = "An account is what stands before the separator: not empty, and without the separator in it."
    }
  }

  variable "separator" {
    type        = string
    default     = "."
    description = "what stands between account and worker"

    validation {
      condition     = var.separator != ""
      error_message = "The separator is one character or more."
    }
  }

  variable "forbidden" {
    type        = string
    default     = "~"
    description = "characters that no name may have; may be empty"
  }

  request "mining.authorize" "foreign_account" {
    when = <<-EXPR
      not (account(user, var.separator) in var.accounts) or any(split(var.forbidden, ''), user contains #)
    EXPR
    deny {
      code    = 24
      message = "This account is not served here"
    }
  }

  request "mining.submit" "foreign_share" {
    when = <<-EXPR
      let by_user = account(user, var.separator) in var.accounts and none(split(var.forbidden, ''), user contains #);
      let by_pool = account(pool_user, var.separator) in var.accounts and none(split(var.forbidden, ''), pool_user contains #);
      not (by_user or by_pool)
    EXPR
    deny {
      code    = 24
      message = "This account is not served here"
    }
  }
}
