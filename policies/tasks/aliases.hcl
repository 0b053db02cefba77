# Names out of a table: a CSV file says which worker a miner is, by the name that it logs
# in with or by its address. The file is edited without touching the policy.
#
#   from,worker
#   john.test,hall1-07
#   10.1.2.3,hall2-01
#
# The name is looked for first, then the address. Miners that are in the table become
# account.worker. With strict the others are refused; without, they are left to what is
# used behind this, such as account_worker. That one looks at the table's workers too, and
# gives all miners its password: with local.antpool_names, which has letters and digits
# only, myfarm.hall1-07 becomes myfarm.hall1x07. So write workers that the pool takes.
#
# Usage:
#
#     include = ["policies/tasks/aliases.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "aliases" {
#         account = "myfarm"
#         aliases = { for row in csvdecode(file("policies/tasks/aliases.csv")) : row.from => row.worker }
#       }
#     }

ruleset "aliases" {
  variable "account" {
    type        = string
    description = "the address or account that is paid"

    validation {
      condition     = can(regex("^[^.~\\s]+$", var.account))
      error_message = "The account is what stands before the first dot of a name: not empty, without dots, tildes and spaces."
    }
  }

  variable "aliases" {
    type        = map(string)
    description = "workers by the miner's name or address"

    validation {
      condition     = length([for worker in values(var.aliases) : worker if !can(regex("^[^.~\\s]+$", worker))]) == 0
      error_message = "A worker in the table is empty, or has a dot, a tilde or a space in it."
    }
  }

  variable "strict" {
    type        = bool
    default     = false
    description = "whether miners that are not in the table are refused"
  }

  request "mining.authorize" "stranger" {
    when = "var.strict and not (user in var.aliases or client.ip in var.aliases)"
    deny {
      code    = 24
      message = "Unauthorized worker"
    }
  }

  request "mining.authorize" "by_alias" {
    when = "user in var.aliases or client.ip in var.aliases"
    set {
      user = <<-EXPR
        var.account + '.' + lookup(var.aliases, user, lookup(var.aliases, client.ip, ''))
      EXPR
    }
  }
}
