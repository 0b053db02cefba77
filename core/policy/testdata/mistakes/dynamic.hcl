include = ["base/base.hcl"]

pool "x" {
  dynamic "health_check" {
    for_each = []
    content {}
  }
  dynamic "server" {
    for_each = 5
    labels   = ["a"]
    content {
      address = "stratum+tcp://a.example:3333"
    }
  }
  dynamic "server" {
    for_each = ["a"]
    labels   = [server.value]
    content {
      address = "stratum+tcp://${server.valu}.example:3333"
    }
  }
}

variable "secret" {
  default   = "hunter2"
  sensitive = true
}
pool "label" {
  dynamic "server" {
    for_each = [1]
    labels   = [var.secret]
    content {
      address = "stratum+tcp://a.example:3333"
    }
  }
}
