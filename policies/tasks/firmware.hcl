# Repairs of what firmware sends. Each is a ruleset of its own: use those that you need.
#
# agent_only cuts mining.subscribe to its first param. Behind it some miners send a session
# of an earlier connection, which another pool does not know; WhatsMiners do so always.
# NiceHash is left alone: what it sends there means something.
#
# padded_shares writes nonce, ntime and version bits of mining.submit with all their eight
# digits. NerdMiner leaves leading zeros of the nonce away (9a8b7c), which ckpool and
# others refuse, so that one share in sixteen is lost.
#
# clean_names takes white space from around names, and puts back what firmware wrote as
# percent codes: rig%2D7 is rig-7.
#
# some_password gives a password to miners that send none, for pools that count the params
# or refuse an empty one.
#
# plain_suggestions makes numbers of the texts that cpuminer-opt suggests difficulties in:
# "0.500000" is 0.5. ckpool wants a number.
#
# Usage:
#
#     include = ["policies/tasks/firmware.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "agent_only" {}
#       use "padded_shares" {}
#       use "clean_names" {}
#       use "some_password" {}
#       use "plain_suggestions" {}
#     }

ruleset "agent_only" {
  request "mining.subscribe" "agent_only" {
    when = "len(params) > 1 and not (agent startsWith 'NiceHash/')"
    set {
      params = "params[:1]"
    }
  }
}

ruleset "padded_shares" {
  request "mining.submit" "short_nonce" {
    when = "nonce matches '^[0-9a-fA-F]{1,7}$'"
    set {
      nonce = "'00000000'[len(nonce):] + nonce"
    }
  }

  request "mining.submit" "short_ntime" {
    when = "ntime matches '^[0-9a-fA-F]{1,7}$'"
    set {
      ntime = "'00000000'[len(ntime):] + ntime"
    }
  }

  request "mining.submit" "short_version_bits" {
    when = "version_bits matches '^[0-9a-fA-F]{1,7}$'"
    set {
      version_bits = "'00000000'[len(version_bits):] + version_bits"
    }
  }
}

ruleset "clean_names" {
  request "mining.authorize" "percent_codes" {
    when = "user contains '%'"
    set {
      user = <<-EXPR
        let codes = {'20': ' ', '25': '%', '2B': '+', '2D': '-', '2E': '.', '2F': '/', '3A': ':', '40': '@', '5F': '_', '7E': '~'};
        let parts = split(user[:128], '%');
        parts[0] + join(map(parts[1:], lookup(codes, upper(#[:2]), '%' + #[:2]) + #[2:]), '')
      EXPR
    }
  }

  request "mining.authorize" "white_space" {
    when = "user != trim(user)"
    set {
      user = "trim(user)"
    }
  }
}

ruleset "some_password" {
  variable "password" {
    type        = string
    default     = "x"
    description = "the password of miners that have none"

    validation {
      condition     = trimspace(var.password) != ""
      error_message = "The password is not empty: it is for miners that send none."
    }
  }

  request "mining.authorize" "no_password" {
    when = "trim(password) == ''"
    set {
      password = "var.password"
    }
  }
}

ruleset "plain_suggestions" {
  request "mining.suggest_difficulty" "number_in_quotes" {
    when = "type(get(params, 0)) == 'string'"
    set {
      params = "[difficulty]"
    }
  }
}
