package admin_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/admin"
)

// control is asked for sessions and pools, and notes what it is ordered to do.
type control struct {
	asked  core.SessionFilter
	orders []string
	more   bool
	err    error
}

func (c *control) Sessions(f core.SessionFilter) ([]core.SessionInfo, bool) {
	c.asked = f
	return []core.SessionInfo{{Session: "5f03a1"}, {Session: "5f03a2"}}, c.more
}

func (c *control) Session(id string) (core.SessionInfo, error) {
	return core.SessionInfo{Session: id, Users: []core.UserInfo{{User: "john", PoolUser: "W.john"}}}, c.err
}

func (c *control) Pools() []core.PoolInfo {
	return []core.PoolInfo{{Pool: `pool.site["a"]`, Endpoints: []core.EndpointInfo{{Endpoint: "eu"}}}}
}

func (c *control) Moves() []core.Campaign {
	return []core.Campaign{{Proxy: "proxy.x", ByJob: 3}}
}

func (c *control) ordered(words ...string) error {
	c.orders = append(c.orders, strings.Join(words, " "))
	return c.err
}

func (c *control) MoveSession(id, pool string) error     { return c.ordered("move", id, pool) }
func (c *control) CloseSession(id string) error          { return c.ordered("close", id) }
func (c *control) SwitchPool(from, to string) error      { return c.ordered("switch", from, to) }
func (c *control) DrainPool(pool, endpoint string) error { return c.ordered("drain", pool, endpoint) }

func (c *control) DisablePool(pool, endpoint string) error {
	return c.ordered("disable", pool, endpoint)
}

func (c *control) EnablePool(pool, endpoint string) error { return c.ordered("enable", pool, endpoint) }

// bodies are good requests.
var bodies = map[string]string{
	"/v1/pools/switch":         `{"from":"pool.site[\"a\"]","to":"pool.b"}`,
	"/v1/pools/drain":          `{"pool":"pool.site[\"a\"]","endpoint":"eu"}`,
	"/v1/pools/disable":        `{"pool":"pool.site[\"a\"]","endpoint":"eu"}`,
	"/v1/pools/enable":         `{"pool":"pool.site[\"a\"]"}`,
	"/v1/sessions/5f03a1/move": `{"pool":"pool.site[\"a\"]"}`,
}

// operated is a server for operators, and what stands behind it.
type operated struct {
	t *testing.T
	*control
	server *admin.Server
}

func operate(t *testing.T) *operated {
	c := &control{}
	return &operated{t, c, admin.New(nil, admin.Door{Open: true}, admin.Service{
		Metrics: prometheus.NewRegistry(), Health: &health{}, Policy: &reloader{}, Control: c,
	})}
}

func (o *operated) ask(method, path, body string, code int, text string) {
	o.t.Helper()
	rec := httptest.NewRecorder()
	o.server.ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
	if rec.Code != code || !strings.Contains(rec.Body.String(), text) {
		o.t.Errorf("%s %s %.200s gives %d %s", method, path, body, rec.Code, rec.Body)
	}
}

// TestOrders gives every order, in good and in bad words.
func TestOrders(t *testing.T) {
	o := operate(t)
	o.ask("GET", "/v1/pools", "", 200, `{"pools":[{"pool":"pool.site[\"a\"]","endpoints":[{"endpoint":"eu",`)
	o.ask("GET", "/v1/sessions/5f03a1", "", 200, `"users":[{"user":"john","pool_user":"W.john"}]`)
	for path, body := range bodies {
		want := `{"pool":"pool.site[\"a\"]",`
		if strings.Contains(path, "sessions") {
			want = `{"session":"5f03a1",`
		}
		o.ask("POST", path, body, 200, want)
		for bad, words := range map[string]string{
			"":                                  `{"error":"the request is not the JSON object`,
			`{"pool":1}`:                        "the request is not the JSON object",
			`{"pol":"x"}`:                       `unknown field \"pol\"`,
			`{}`:                                "is missing",
			"null":                              "is missing",
			body + body:                         "there is more behind the JSON object",
			strings.Replace(body, "}", "]}", 1): "the request is not the JSON object",
			body[:len(body)-1]:                  "the request is not the JSON object",
		} {
			o.ask("POST", path, bad, 400, words)
		}
		o.ask("POST", path, `{"pool":"`+strings.Repeat("x", 17<<10)+`"}`, 413, `{"error":"read the request: http: request body too large"}`)
	}
	o.ask("POST", "/v1/sessions/5f03a1/close", "", 200, `{"session":"5f03a1",`)
	o.ask("POST", "/v1/pools/switch", `{"from":"a"}`, 400, `{"error":"\"to\" is missing"}`)
	o.ask("POST", "/v1/pools", "", 405, "")
	wantOrders := map[string]bool{
		`switch pool.site["a"] pool.b`: true, `drain pool.site["a"] eu`: true, `disable pool.site["a"] eu`: true,
		`enable pool.site["a"] `: true, `move 5f03a1 pool.site["a"]`: true, "close 5f03a1": true,
	}
	orders := map[string]bool{}
	for _, order := range o.orders {
		orders[order] = true
	}
	if diff := cmp.Diff(orders, wantOrders); diff != "" || len(o.orders) != len(wantOrders) {
		t.Errorf("%d orders: %s", len(o.orders), diff)
	}
}

// TestOrdersRefused gives orders that are not followed.
func TestOrdersRefused(t *testing.T) {
	o := operate(t)
	for path, body := range bodies {
		o.err = &core.Objection{Reason: "there is none", Unknown: true}
		o.ask("POST", path, body, 404, `{"error":"there is none"}`)
		o.err = fmt.Errorf("order: %w", &core.Objection{Reason: "not now"})
		o.ask("POST", path, body, 409, `{"error":"order: not now"}`)
		o.err = errors.New("odd")
		o.ask("POST", path, body, 500, `{"error":"odd"}`)
	}
	o.err = &core.Objection{Reason: "there is none", Unknown: true}
	o.ask("GET", "/v1/sessions/x", "", 404, `{"error":"there is none"}`)
}

// TestSessionPages asks for sessions by all that they can be asked for by.
func TestSessionPages(t *testing.T) {
	o := operate(t)
	o.ask("GET", "/v1/sessions", "", 200, `{"session":"5f03a2",`)
	if diff := cmp.Diff(o.asked, core.SessionFilter{Limit: 100}); diff != "" {
		t.Error(diff)
	}
	o.more = true
	q := url.Values{"proxy": {"proxy.x"}, "pool": {`pool.site["a"]`}, "user": {"john"}, "after": {"5f"}, "limit": {"2"}}
	o.ask("GET", "/v1/sessions?"+q.Encode(), "", 200, `"next":"5f03a2"}`)
	want := core.SessionFilter{Proxy: "proxy.x", Pool: `pool.site["a"]`, User: "john", After: "5f", Limit: 2}
	if diff := cmp.Diff(o.asked, want); diff != "" {
		t.Error(diff)
	}
	for query, words := range map[string]string{
		"limit=0": "limit is a number from 1 to 1000", "limit=1001": "from 1 to 1000", "limit=x": "from 1 to 1000", "pol=x": `there is no \"pol\" to ask by`,
	} {
		o.ask("GET", "/v1/sessions?"+query, "", 400, words)
	}
}

// FuzzOrders sends whatever there is as an order.
func FuzzOrders(f *testing.F) {
	for path, body := range bodies {
		f.Add(path, body)
	}
	f.Add("/v1/sessions/%00/close", "{")
	f.Fuzz(func(t *testing.T, path, body string) {
		u, err := url.Parse(path)
		if err != nil || !strings.HasPrefix(u.Path, "/v1/") {
			return
		}
		o, rec := operate(t), httptest.NewRecorder()
		req := httptest.NewRequest("POST", "/", strings.NewReader(body))
		req.URL = u
		o.server.ServeHTTP(rec, req)
		if rec.Code >= 500 || rec.Code != 200 && len(o.orders) > 0 {
			t.Errorf("%d %s, and %q was done", rec.Code, rec.Body, o.orders)
		}
	})
}
