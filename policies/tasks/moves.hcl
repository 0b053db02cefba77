# Miners that change pools by themselves: by the time of day, and by what a pool rejects.
# loka asks these rules again once a second, and moves the miners that belong elsewhere.
#
# night_pool sends miners to another pool from an hour to an hour, as for a night tariff,
# and all day long on some days: 1 is Monday, 7 is Sunday. The hours are those of the
# machine's time zone; in a container that is UTC unless TZ says otherwise.
#
# avoid_rejects sends miners to another pool while theirs rejects too much. They leave
# above one rate and come back below a lower one, so that a rate between the two moves
# nobody. A pool that nobody sends shares has no rate for long: it fades, and miners come
# back to try.
#
# Both leave miners where they are while the other pool cannot be reached. Where both are
# used, avoid_rejects is about the pool of the hour.
#
# Usage:
#
#     include = ["policies/tasks/moves.hcl"]
#
#     pool "main" {
#       server "eu" { address = "stratum+tcp://eu.pool.example:3333" }
#     }
#
#     pool "night" {
#       server "eu" { address = "stratum+tcp://night.example:3333" }
#     }
#
#     pool "backup" {
#       server "eu" { address = "stratum+tcp://backup.example:3333" }
#     }
#
#     proxy "farm" {
#       pool = pool.main
#       listener "tcp" { address = ":3333" }
#
#       use "night_pool" {
#         pool = pool.night
#         from = 22
#         to   = 6
#         days = [6, 7]
#       }
#       use "avoid_rejects" {
#         pool  = pool.backup
#         leave = 0.05
#         back  = 0.02
#       }
#     }

ruleset "night_pool" {
  variable "pool" {
    description = "the pool of the night, as in pool.night"
  }

  variable "from" {
    type        = number
    description = "the hour in which the night begins"

    validation {
      condition     = contains([for hour in range(24) : hour], var.from)
      error_message = "An hour is a whole number from 0 to 23."
    }
  }

  variable "to" {
    type        = number
    description = "the hour with which the night ends"

    validation {
      condition     = contains([for hour in range(24) : hour], var.to)
      error_message = "An hour is a whole number from 0 to 23."
    }
  }

  variable "days" {
    type        = list(number)
    default     = []
    description = "days that are night all day long: 1 is Monday"

    validation {
      condition     = length([for day in var.days : day if !contains([1, 2, 3, 4, 5, 6, 7], day)]) == 0
      error_message = "A day is a number from 1, Monday, to 7, Sunday."
    }
  }

  connect "night" {
    when = <<-EXPR
      let late = clock.hour >= var.from;
      let early = clock.hour < var.to;
      let night = var.from < var.to ? late and early : late or early;
      (night or clock.weekday in var.days) and upstream(var.pool).up
    EXPR
    route { pool = var.pool }
  }
}

ruleset "avoid_rejects" {
  variable "pool" {
    description = "the pool to go to, as in pool.backup"
  }

  variable "leave" {
    type        = number
    default     = 0.05
    description = "the part of rejected shares above which miners leave"
  }

  variable "back" {
    type        = number
    default     = 0.02
    description = "the part of rejected shares below which they come back"

    validation {
      condition     = 0 < var.back && var.back < var.leave && var.leave < 1
      error_message = "Rates are parts of 1, as in 0.05, and the one to come back at is the lower one."
    }
  }

  request "mining.subscribe" "rejects" {
    when = "upstream.reject_rate > (session.pool == var.pool ? var.back : var.leave) and upstream(var.pool).up"
    route { pool = var.pool }
  }
}
