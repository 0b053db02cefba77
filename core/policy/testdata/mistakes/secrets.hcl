include = ["base/base.hcl"]

variable "password" {
  default   = "hunter22"
  sensitive = true
  validation {
    condition     = strlen(var.password) > 20
    error_message = "The password ${var.password} is too short."
  }
}
variable "number" {
  type      = number
  default   = "hunter23"
  sensitive = true
}
pool "x" {
  server "a" { address = "stratum+tcp://${var.password}" }
}
proxy "x" {
  pool = pool.x
  listener "tcp" { address = ":4441" }
  request "mining.submit" "x" {
    deny { code = "hunter22" }
  }
}
