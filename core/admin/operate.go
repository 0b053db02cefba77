package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/loka-proxy/loka/core"
)

// Control is what admin asks of the proxy for operators. An error is a *core.Objection,
// and nothing has changed then.
type Control interface {
	Sessions(core.SessionFilter) (list []core.SessionInfo, more bool)
	Session(id string) (core.SessionInfo, error)
	MoveSession(id, pool string) error
	CloseSession(id string) error
	Pools() []core.PoolInfo
	Moves() []core.Campaign
	SwitchPool(from, to string) error
	DrainPool(pool, endpoint string) error
	DisablePool(pool, endpoint string) error
	EnablePool(pool, endpoint string) error
}

// operate adds what operators see and order of pools and sessions.
func operate(mux *http.ServeMux, door Door, c Control) {
	o := operatorPages{c}
	for page, serve := range map[string]http.HandlerFunc{
		"GET /v1/pools": o.pools, "GET /v1/sessions": o.sessions, "GET /v1/sessions/{id}": o.session,
	} {
		mux.Handle(page, door.reading(serve))
	}
	for page, serve := range map[string]http.HandlerFunc{
		"POST /v1/pools/switch":        o.change,
		"POST /v1/pools/drain":         o.endpoint(Control.DrainPool),
		"POST /v1/pools/disable":       o.endpoint(Control.DisablePool),
		"POST /v1/pools/enable":        o.endpoint(Control.EnablePool),
		"POST /v1/sessions/{id}/move":  o.move,
		"POST /v1/sessions/{id}/close": o.end,
	} {
		mux.Handle(page, door.changing(serve))
	}
}

// operatorPages serve pools and sessions.
type operatorPages struct{ control Control }

// PoolList is the answer to GET /v1/pools.
type PoolList struct {
	Pools []core.PoolInfo `json:"pools"`
}

// SessionList is the answer to GET /v1/sessions.
type SessionList struct {
	Sessions []core.SessionInfo `json:"sessions"`
	// Next is what to give as after for those that come behind; empty at the end.
	Next string `json:"next,omitempty"`
}

// Problem is the answer where something was not done.
type Problem struct {
	Error string `json:"error"`
}

func (o operatorPages) pools(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, PoolList{o.control.Pools()})
}

// MoveList is the answer to GET /v1/moves.
type MoveList struct {
	Campaigns []core.Campaign `json:"campaigns"`
}

func (o operatorPages) moves(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, MoveList{o.control.Moves()})
}

// MostSessions is how many sessions one answer has at most.
const MostSessions = 1000

// usualPage is how many it has where no number is asked for.
const usualPage = 100

func (o operatorPages) sessions(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r)
	if err != nil {
		answer(w, http.StatusBadRequest, Problem{err.Error()})
		return
	}
	list, more := o.control.Sessions(f)
	out := SessionList{Sessions: list}
	if more {
		out.Next = list[len(list)-1].Session
	}
	answer(w, http.StatusOK, out)
}

// filterOf reads the filter of a request. A name that is not known is a mistake: else a
// misspelled one would list everything.
func filterOf(r *http.Request) (core.SessionFilter, error) {
	f := core.SessionFilter{Limit: usualPage}
	for name, values := range r.URL.Query() {
		value := values[len(values)-1]
		switch name {
		case "proxy":
			f.Proxy = value
		case "pool":
			f.Pool = value
		case "user":
			f.User = value
		case "after":
			f.After = value
		case "limit":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > MostSessions {
				return f, fmt.Errorf("limit is a number from 1 to %d", MostSessions)
			}
			f.Limit = n
		default:
			return f, fmt.Errorf("there is no %q to ask by; there are proxy, pool, user, limit and after", name)
		}
	}
	return f, nil
}

func (o operatorPages) session(w http.ResponseWriter, r *http.Request) {
	s, err := o.control.Session(r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, s)
}

func (o operatorPages) move(w http.ResponseWriter, r *http.Request) {
	var to MoveOrder
	if read(w, r, &to) {
		o.ordered(w, r.PathValue("id"), func(id string) error { return o.control.MoveSession(id, to.Pool) })
	}
}

func (o operatorPages) end(w http.ResponseWriter, r *http.Request) {
	o.ordered(w, r.PathValue("id"), o.control.CloseSession)
}

// ordered gives an order on a session, and answers with how it stands then. A session
// that ends with the order is told as it was before.
func (o operatorPages) ordered(w http.ResponseWriter, id string, order func(id string) error) {
	before, err := o.control.Session(id)
	if err == nil {
		err = order(id)
	}
	if err != nil {
		fail(w, err)
		return
	}
	if now, err := o.control.Session(id); err == nil {
		before = now
	}
	answer(w, http.StatusOK, before)
}

func (o operatorPages) change(w http.ResponseWriter, r *http.Request) {
	var pools SwitchOrder
	if read(w, r, &pools) {
		o.stands(w, pools.From, o.control.SwitchPool(pools.From, pools.To))
	}
}

// endpoint serves an order on a server of a pool, or on all of them where none is named.
func (o operatorPages) endpoint(order func(c Control, pool, endpoint string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var of EndpointOrder
		if read(w, r, &of) {
			o.stands(w, of.Pool, order(o.control, of.Pool, of.Endpoint))
		}
	}
}

// stands answers with how a pool stands after an order.
func (o operatorPages) stands(w http.ResponseWriter, pool string, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	for _, p := range o.control.Pools() {
		if p.Pool == pool {
			answer(w, http.StatusOK, p)
			return
		}
	}
	answer(w, http.StatusOK, core.PoolInfo{Pool: pool}) // a policy without it came meanwhile
}

func fail(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	if o := (*core.Objection)(nil); errors.As(err, &o) {
		code = http.StatusConflict
		if o.Unknown {
			code = http.StatusNotFound
		}
	}
	answer(w, code, Problem{err.Error()})
}

// maxBody bounds what is read of a request. The names of pools are shorter.
const maxBody = 16 << 10

// order is what a request says. It tells which field is missing, if one is.
type order interface{ missing() string }

// MoveOrder, SwitchOrder and EndpointOrder are what is asked for by POST.
type (
	MoveOrder struct {
		Pool string `json:"pool"`
	}
	SwitchOrder struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	EndpointOrder struct {
		Pool string `json:"pool"`
		// Endpoint may be empty: then it is the whole pool.
		Endpoint string `json:"endpoint,omitempty"`
	}
)

func (o *MoveOrder) missing() string     { return first("pool", o.Pool) }
func (o *SwitchOrder) missing() string   { return first("from", o.From, "to", o.To) }
func (o *EndpointOrder) missing() string { return first("pool", o.Pool) }

// first gives the first of names, each with its value behind it, whose value is empty.
func first(named ...string) string {
	for i := 0; i < len(named); i += 2 {
		if named[i+1] == "" {
			return named[i]
		}
	}
	return ""
}

// read reads an order. It answers, and reports false, where it is not as it should be.
func read(w http.ResponseWriter, r *http.Request, into order) bool {
	code, err := http.StatusBadRequest, decode(http.MaxBytesReader(w, r.Body, maxBody), into)
	if name := into.missing(); err == nil && name != "" {
		err = fmt.Errorf("%q is missing", name)
	}
	if errors.As(err, new(*http.MaxBytesError)) {
		code = http.StatusRequestEntityTooLarge
	}
	if err != nil {
		answer(w, code, Problem{err.Error()})
	}
	return err == nil
}

// decode reads one JSON object, and nothing besides. A key that is not known is a
// mistake: an endpoint that is misspelled is not the whole pool.
func decode(body io.Reader, v any) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("the request is not the JSON object that is asked for: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind the JSON object")
	}
	return nil
}
