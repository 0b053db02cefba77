// Package admin serves what operators look at and order, over HTTP.
//
//	GET  /metrics                 everything that is counted, for Prometheus
//	GET  /healthz                 200 while the process lives
//	GET  /readyz                  200 while miners can be served, else 503 and why not
//	GET  /v1/policy               which policy is in force, and why another one is not
//	POST /v1/policy/reload        read the policy files again
//	POST /v1/policy/rollback      return to the policy before
//	POST /v1/policy/plan          {"path"}: what a policy would change; nothing does
//	GET  /v1/pools                the pools, with their servers
//	POST /v1/pools/switch         {"from", "to"}: all who belong to one pool go to another
//	POST /v1/pools/drain          {"pool", "endpoint"}: no new sessions
//	POST /v1/pools/disable        {"pool", "endpoint"}: none at all
//	POST /v1/pools/enable         {"pool", "endpoint"}: as the policy has it
//	GET  /v1/sessions             ?proxy= &pool= &user= &limit= &after=
//	GET  /v1/sessions/{id}        one of them
//	POST /v1/sessions/{id}/move   {"pool"}
//	POST /v1/sessions/{id}/close
//	GET  /v1/moves                what came of the last waves of moves
//
// What changes something or reads files needs the token, or the socket. What was ordered is answered with
// how things stand then, and what was not done with {"error"}: 400 where the request is
// wrong, 404 where it names what is not there, 409 where it cannot be done now.
package admin
