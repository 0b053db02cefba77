include = ["base/base.hcl"]

proxy "x" {
  pool = pool.main
  listener "tcp" { address = ":4441" }
  request "mining.authorise" "spelling" {
    drop {}
  }
  request "Mining.Authorize" "letters" {
    drop {}
  }
  request "mining.notify" "other_way" {
    drop {}
  }
  notification "mining.submit" "the_other" {
    drop {}
  }
  response "mining.notify" "no_answer" {
    drop {}
  }
  request "minning.*" "family" {
    drop {}
  }
  request "mining.submit" "no_effect" {
    when = "user == 'x'"
  }
  request "mining.submit" "off" {
    when = "false"
    drop {}
  }

  # What follows is as it should be.
  request "mining.extranonce.subscribe" "not_known_to_rules" {
    drop {}
  }
  request "mining.*" "all" {
    stop = true
  }
  request "*" "every" {
    drop {}
  }
  notification "client.show_message" "nor_this" {
    drop {}
  }
  response "mining.submit" "answer" {
    drop {}
  }
}
