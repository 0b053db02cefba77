proxy "y" {
  request "mining.authorize" "a" { stop = true deny { code = 5 + } }
  request "mining.authorize" "b" { drop {} }
}
