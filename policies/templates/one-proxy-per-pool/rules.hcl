# What every proxy of the template does. It is one ruleset, so that a change holds for all
# pools; what differs between them is in its arguments.
ruleset "site" {
  variable "account" {
    type        = string
    description = "the account or address that is paid"

    validation {
      condition     = can(regex("^[^.~\\s]+$", var.account))
      error_message = "The account is what stands before the first dot of a name: not empty, without dots, tildes and spaces."
    }
  }

  variable "filler" {
    type        = string
    description = "what stands in for other characters than letters and digits"

    validation {
      condition     = can(regex("^[^.~\\s]?$", var.filler))
      error_message = "A filler is one character or none, and no dot, tilde or space."
    }
  }

  # john.test  ->  myfarm.john_test
  request "mining.authorize" "to_account" {
    set {
      user     = <<-EXPR
        let own = user == var.account ? '' : trimPrefix(user, var.account + '.');
        let legal = join(map(split(own[:32], ''), # matches '^[A-Za-z0-9]$' ? # : var.filler), '');
        var.account + '.' + (legal == '' ? 'default' : legal)
      EXPR
      password = "'x'"
    }
  }

  # A session of another pool means nothing to this one.
  request "mining.subscribe" "agent_only" {
    when = "len(params) > 1"
    set {
      params = "params[:1]"
    }
  }
}
