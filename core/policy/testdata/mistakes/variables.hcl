include = ["base/base.hcl"]

variable "a" {
  type    = number
  default = "many"
}
variable "b" {
  type = strnig
}
variable "c" {
  default = var.a
}
variable "d" {
  type    = map(object({ port = number }))
  default = { x = { port = "y" } }
}
variable "e" {
  default = 5
  validation {
    condition     = var.e > 5
    error_message = "e is more than 5, and this is ${var.e}."
  }
  validation {
    condition     = "x"
    error_message = "x"
  }
  validation {
    condition = true
  }
}
variable "f" { type = string }
variable "g" { typ = string }
