package core

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
)

// Campaign is the report of one wave of moves, from the first miner that had to be
// elsewhere until none had.
type Campaign struct {
	Proxy string    `json:"proxy"`
	Began time.Time `json:"began"`
	// Ended is nil while miners wait for their turn.
	Ended *time.Time `json:"ended,omitempty"`
	// ByJob, ByExtranonce and ByReconnect are how the miners were told.
	ByJob        int `json:"by_job"`
	ByExtranonce int `json:"by_extranonce"`
	ByReconnect  int `json:"by_reconnect"`
	// Failed are attempts that left a miner where it was.
	Failed int `json:"failed"`
	// LongestWithoutJobMS is for how long one of them had no work of a pool: 0 where none
	// was without.
	LongestWithoutJobMS int64 `json:"longest_without_job_ms"`
	// SharesSaved were for jobs of a pool that was left, and accepted by it all the same.
	// SharesLost got no answer of a pool. Both may still grow after the end.
	SharesSaved int64 `json:"shares_saved"`
	SharesLost  int64 `json:"shares_lost"`
}

// Moves reports the last waves of moves of every proxy, the latest first.
func (d *Daemon) Moves() []Campaign {
	list := []Campaign{}
	for _, m := range d.allMovers() {
		list = append(list, m.reports()...)
	}
	slices.SortFunc(list, func(a, b Campaign) int {
		if by := b.Began.Compare(a.Began); by != 0 {
			return by
		}
		return strings.Compare(a.Proxy, b.Proxy)
	})
	return list
}

func (d *Daemon) allMovers() []*mover {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.movers))
}

func (m *mover) reports() (list []Campaign) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.past
	if m.current != nil {
		all = append(slices.Clone(all), m.current)
	}
	for _, c := range all {
		list = append(list, c.report(m.name))
	}
	return list
}

// report is the campaign as it stands. The mover's lock is held.
func (c *campaign) report(proxy string) Campaign {
	r := Campaign{
		Proxy: proxy, Began: c.began, Failed: c.failed, LongestWithoutJobMS: c.idle.Milliseconds(),
		ByJob: c.ways[exchange.ByJob], ByExtranonce: c.ways[exchange.ByExtranonce], ByReconnect: c.ways[exchange.ByReconnect],
		SharesSaved: c.saved.Load(), SharesLost: c.lost.Load(),
	}
	if !c.ended.IsZero() {
		ended := c.ended
		r.Ended = &ended
	}
	return r
}
