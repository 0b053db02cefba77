package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/loka-proxy/loka/core"
)

// Policy is what admin asks of whoever reloads the policy.
type Policy interface {
	Status() core.Status
	// Reload and Rollback give a *core.Refusal where nothing has changed.
	Reload(ctx context.Context) error
	Rollback(ctx context.Context) error
	// Plan gives a *core.Refusal for a policy that does not load.
	Plan(path string) (*core.Plan, error)
}

// policyPages serve the policy.
type policyPages struct{ policy Policy }

func (p policyPages) status(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, p.policy.Status())
}

func (p policyPages) reload(w http.ResponseWriter, r *http.Request) {
	p.done(w, p.policy.Reload(context.WithoutCancel(r.Context())))
}

func (p policyPages) rollback(w http.ResponseWriter, r *http.Request) {
	p.done(w, p.policy.Rollback(context.WithoutCancel(r.Context())))
}

// PlanOrder asks what a policy would change: that at Path on the machine that loka runs on,
// or that of its files, as they are now, where it is empty.
type PlanOrder struct {
	Path string `json:"path,omitempty"`
}

func (PlanOrder) missing() string { return "" }

func (p policyPages) plan(w http.ResponseWriter, r *http.Request) {
	var of PlanOrder
	if !read(w, r, &of) {
		return
	}
	plan, err := p.policy.Plan(of.Path)
	if err != nil {
		p.done(w, err)
		return
	}
	answer(w, http.StatusOK, plan)
}

// done answers with the status, or with why nothing has changed.
func (p policyPages) done(w http.ResponseWriter, err error) {
	var refused *core.Refusal
	switch {
	case errors.As(err, &refused):
		answer(w, http.StatusConflict, refused)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		answer(w, http.StatusOK, p.policy.Status())
	}
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the other end has gone
}
