package admin_test

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/admin"
)

// reloader is asked to reload, and counts how often.
type reloader struct {
	reloads, rollbacks int
	err                error
}

func (r *reloader) Status() core.Status            { return core.Status{Generation: 7, Hash: "abc"} }
func (r *reloader) Reload(context.Context) error   { r.reloads++; return r.err }
func (r *reloader) Rollback(context.Context) error { r.rollbacks++; return r.err }

func (r *reloader) Plan(path string) (*core.Plan, error) {
	return &core.Plan{Hash: path}, r.err
}

const token = "0123456789abcdef"

// TestDoors asks for everything through every door, with and without the token.
func TestDoors(t *testing.T) {
	const read, change, anyone = "read", "change", "anyone"
	pages := map[string]string{
		"GET /metrics": read, "GET /v1/policy": read, "POST /v1/policy/reload": change, "POST /v1/policy/rollback": change,
		"GET /healthz": anyone, "GET /readyz": anyone,
		"GET /v1/pools": read, "GET /v1/sessions": read, "GET /v1/sessions/5f03a1": read,
		"POST /v1/pools/switch": change, "POST /v1/pools/drain": change, "POST /v1/pools/disable": change, "POST /v1/pools/enable": change,
		"POST /v1/sessions/5f03a1/move": change, "POST /v1/sessions/5f03a1/close": change, "POST /v1/policy/plan": change, "GET /v1/moves": read,
	}
	for name, test := range map[string]struct {
		door   admin.Door
		header string
		want   map[string]int
	}{
		"local":              {admin.Door{Local: true}, "", map[string]int{read: 200, change: 403}},
		"local, token known": {admin.Door{Local: true, Token: token}, "Bearer " + token, map[string]int{read: 200, change: 200}},
		"local, none given":  {admin.Door{Local: true, Token: token}, "", map[string]int{read: 200, change: 401}},
		"local, wrong":       {admin.Door{Local: true, Token: token}, "Bearer 0123456789abcdeF", map[string]int{read: 200, change: 401}},
		"local, empty":       {admin.Door{Local: true}, "Bearer ", map[string]int{read: 200, change: 403}},
		"far":                {admin.Door{}, "", map[string]int{read: 403, change: 403}},
		"far, token known":   {admin.Door{Token: token}, "Bearer " + token, map[string]int{read: 200, change: 200}},
		"far, none given":    {admin.Door{Token: token}, "", map[string]int{read: 401, change: 401}},
		"far, other scheme":  {admin.Door{Token: token}, "Basic " + token, map[string]int{read: 401, change: 401}},
		"open":               {admin.Door{Open: true}, "", map[string]int{read: 200, change: 200}},
	} {
		for page, kind := range pages {
			policy, proxy := &reloader{}, &control{}
			s := admin.New(nil, test.door, admin.Service{Metrics: prometheus.NewRegistry(), Health: &health{}, Policy: policy, Control: proxy})
			method, path, _ := strings.Cut(page, " ")
			req := httptest.NewRequest(method, path, strings.NewReader(cmp.Or(bodies[path], "{}")))
			if test.header != "" {
				req.Header.Set("Authorization", test.header)
			}
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, req)
			want := test.want[kind]
			if kind == anyone {
				want = http.StatusOK
			}
			if rec.Code != want {
				t.Errorf("%s: %s gives %d, not %d", name, page, rec.Code, want)
			}
			if rec.Code != http.StatusOK && policy.reloads+policy.rollbacks+len(proxy.orders) > 0 {
				t.Errorf("%s: %s was refused, and done", name, page)
			}
		}
	}
}

// TestPolicyPages shows the status, and why a reload was refused.
func TestPolicyPages(t *testing.T) {
	policy := &reloader{}
	s := admin.New(nil, admin.Door{Open: true}, admin.Service{Metrics: prometheus.NewRegistry(), Health: &health{}, Policy: policy})
	ask := func(method, path string, code int, text string) {
		t.Helper()
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
		if rec.Code != code || !strings.Contains(rec.Body.String(), text) {
			t.Errorf("%s %s gives %d %s", method, path, rec.Code, rec.Body)
		}
	}
	ask("GET", "/v1/policy", 200, `{"generation":7,"hash":"abc",`)
	ask("POST", "/v1/policy/reload", 200, `"generation":7`)
	policy.err = &core.Refusal{Reason: "2 errors"}
	ask("POST", "/v1/policy/reload", 409, `"reason":"2 errors"`)
	ask("POST", "/v1/policy/rollback", 409, `"reason":"2 errors"`)
	ask("GET", "/v1/policy/reload", 405, "")
	if policy.reloads != 2 || policy.rollbacks != 1 {
		t.Errorf("%+v", policy)
	}
}

// TestPlanPage asks what a policy would change.
func TestPlanPage(t *testing.T) {
	policy := &reloader{}
	s := admin.New(nil, admin.Door{Open: true}, admin.Service{Metrics: prometheus.NewRegistry(), Health: &health{}, Policy: policy, Control: &control{}})
	ask := func(method, path, body string, code int, text string) {
		t.Helper()
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
		if rec.Code != code || !strings.Contains(rec.Body.String(), text) {
			t.Errorf("%s %s %s gives %d %s", method, path, body, rec.Code, rec.Body)
		}
	}
	ask("POST", "/v1/policy/plan", `{"path":"/next"}`, 200, `"hash":"/next"`)
	ask("POST", "/v1/policy/plan", `{"pat":"/next"}`, 400, `unknown field`)
	ask("POST", "/v1/policy/plan", ``, 400, `not the JSON object`)
	policy.err = &core.Refusal{Reason: "3 errors"}
	ask("POST", "/v1/policy/plan", `{}`, 409, `"reason":"3 errors"`)
	ask("GET", "/v1/moves", "", 200, `{"campaigns":[{"proxy":"proxy.x"`)
}
