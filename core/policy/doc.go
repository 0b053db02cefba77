// Package policy turns policy files (HCL) into one immutable Policy.
package policy
