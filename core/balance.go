package core

import "time"

const (
	// band is by how much of its share a server may be off before miners are moved. The
	// count of shares is a matter of chance: that of a few hundred is off by some percent.
	band = 0.2
	// moving is how long the moves of one decision may take before the next is made.
	moving = 30 * time.Second
)

// balance has miners leave servers that do more than their weight says, with the strategy
// weighted, once that has lasted. So many leave that the rest is in balance, as far as one
// miner is like the other; what they really do shows before the next decision.
func (p *pool) balance(now time.Time, sights []sight) {
	surplus := surpluses(sights)
	uneven := false
	for i := range surplus {
		if surplus[i] == 0 {
			sights[i].endpoint.leaving.Store(0)
		}
		uneven = uneven || surplus[i] > 0
	}
	switch {
	case !uneven:
		p.uneven = time.Time{}
	case p.uneven.IsZero():
		p.uneven = now
	case now.Sub(p.uneven) >= max(p.policy.FailbackAfter, moving):
		p.uneven = now
		for i := range surplus {
			sights[i].endpoint.leaving.Store(surplus[i])
		}
	}
}

// surpluses gives how many miners each server has too many; none where it is off by less
// than the band, or by less than one miner: it would only be somebody else's surplus.
func surpluses(sights []sight) []int64 {
	var total, weight float64
	each := perLeg(sights)
	able := func(s *sight) bool { return s.class == well && s.up && !s.aside }
	for i := range sights {
		if s := &sights[i]; able(s) {
			total += s.load.work(each)
			weight += s.weight
		}
	}
	list := make([]int64, len(sights))
	for i := range sights {
		s := &sights[i]
		if !able(s) || s.load.legs == 0 {
			continue
		}
		target := total * s.weight / weight
		over, leg := s.load.work(each)-target, s.load.work(each)/float64(s.load.legs)
		if over > band*target && over > leg {
			list[i] = int64(over / leg)
		}
	}
	return list
}
