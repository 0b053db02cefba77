package policy

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/loka-proxy/loka/rules"
)

// figureNames are the arguments of the blocks upstream and stats, by what they stand for.
var figureNames = map[string]map[string]rules.Name{
	"upstream": {
		"up": rules.UpstreamUp, "reject_rate": rules.UpstreamRejectRate, "latency_ms": rules.UpstreamLatency,
		"sessions": rules.UpstreamSessions, "hashrate": rules.UpstreamHashrate,
	},
	"stats": {
		"submitted": rules.StatsSubmitted, "accepted": rules.StatsAccepted, "rejected": rules.StatsRejected,
		"reject_rate": rules.StatsRejectRate, "hashrate": rules.StatsHashrate,
	},
}

// readFigures reads the blocks upstream and stats of a test or of a step.
func (r *instanceReader) readFigures(blocks hcl.Blocks) (list []Figure) {
	taken := map[string]hcl.Range{}
	for _, b := range blocks {
		if b.Type != upstreamBlock.name && b.Type != statsBlock.name {
			continue
		}
		figures, about := r.readFigureBlock(b)
		if at, again := taken[about]; again {
			r.fail(b.DefRange, "Block given twice", "The figures are those at one moment, and there is a block %s with others of the same at %s.", b.Type, position(at))
			continue
		}
		taken[about] = b.DefRange
		list = append(list, figures...)
	}
	return list
}

// readFigureBlock reads one of them. It also says what it is about: the address of a pool
// or, for the session, nothing.
func (r *instanceReader) readFigureBlock(b *hcl.Block) (list []Figure, about string) {
	kind := statsBlock
	if b.Type == upstreamBlock.name {
		kind = upstreamBlock
	}
	content, _ := r.contentOf(b.Body, kind)
	args := arguments{r.loader, kind, r.scope, content.Attributes}
	if kind == upstreamBlock {
		about = r.poolOfFigures(args)
	}
	for _, attr := range inOrder(content.Attributes) {
		name, known := figureNames[b.Type][attr.Name]
		if !known {
			continue
		}
		if value, ok := args.figure(attr.Name); ok {
			list = append(list, Figure{Pool: about, Name: name, Value: value})
		}
	}
	return list, about
}

// poolOfFigures gives the pool that a block upstream is about. One that could not be made
// out has an address that no pool has.
func (r *instanceReader) poolOfFigures(args arguments) string {
	pool := (*Pool)(nil)
	if attr := args.attrs["pool"]; attr != nil {
		pool = r.pools.named(r.loader, attr, r.scope)
	} else if r.test.Proxy != nil {
		pool = r.test.Proxy.Pool
	}
	if pool == nil {
		return "?"
	}
	return pool.Address
}

// figure reads a number of the bounds of its argument, or a bool as 0 or 1.
func (a arguments) figure(name string) (value float64, ok bool) {
	arg := a.block.arg(name)
	if arg.is == isBool {
		value, ok := a.value(name, cty.Bool)
		if ok && value.True() {
			return 1, true
		}
		return 0, ok
	}
	number, ok := a.value(name, cty.Number)
	if !ok {
		return 0, false
	}
	if arg.is == isNumber {
		return float64(a.number(name)), true
	}
	value, _ = number.AsBigFloat().Float64()
	most := float64(arg.most)
	switch {
	case value >= 0 && (value <= most || arg.most == 0 && isFinite(value)):
		return value, true
	case arg.most == 0:
		a.l.fail(a.at(name), "Wrong value", "%s is a number from 0.", name)
	default:
		a.l.fail(a.at(name), "Wrong value", "%s is a number from 0 to %d, as in 0.05.", name, arg.most)
	}
	return 0, false
}
