include = ["base/base.hcl"]

variable "wallet" { default = "x" }
proxy "x" {
  pool = pool.main
  listener "tcp" { address = ":4441" }
  request "mining.authorize" "condition" {
    when = <<-EXPR
      user == "${var.wallet}" and
        client.ip == '10.0.0.1'
    EXPR
    drop {}
  }
  request "mining.authorize" "value" {
    set {
      user = <<-EXPR
        ${var.wallet}.${user}
      EXPR
    }
  }
  request "mining.authorize" "alone" {
    set {
      user = <<-EXPR
        ${var.wallet}
      EXPR
    }
  }
  request "mining.authorize" "joined" {
    set {
      user = <<-EXPR
        '${var.wallet}' + lower(user)
      EXPR
    }
  }
  request "mining.authorize" "in_quotes" {
    when = "user == '${var.wallet}' or user startsWith '${var.wallet}.'"
    drop {}
  }
  request "mining.authorize" "whole_in_quotes" {
    when = "user == '${var.wallet}'"
    drop {}
  }
}
