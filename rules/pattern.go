package rules

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
)

// A pattern costs as much, for each byte, as it has ways to go on at once: one for
// ^[a-z]{1,40}$, forty for [a-z]{1,40} anywhere in a text. The ways are found by walking
// over all sets of states that the pattern can be in, as long as there are not too many;
// then all states count.
const (
	byteCost  = 15 // nanoseconds for a byte, whatever the pattern
	stateCost = 7  // nanoseconds for each state at once
	setLimit  = 400
	runeLimit = 100
	stepLimit = 1 << 19 // some milliseconds
)

// patternCosts remembers what patterns cost: many rules have the same one.
type patternCosts map[string]patternWeight

type patternWeight struct {
	perByte float64
	longest int
}

func (c patternCosts) of(pattern string) patternWeight {
	if known, ok := c[pattern]; ok {
		return known
	}
	var w patternWeight
	w.perByte, w.longest = patternCost(pattern)
	c[pattern] = w
	return w
}

// patternCost gives the nanoseconds for a byte of text, and how many bytes are looked
// at before the pattern gives up; 0 is all of them.
func patternCost(pattern string) (perByte float64, longest int) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return byteCost, 0
	}
	re = re.Simplify()
	program, err := syntax.Compile(re)
	if err != nil {
		return byteCost, 0
	}
	w := &patternWalk{program: program, anchored: program.StartCond()&syntax.EmptyBeginText != 0}
	if n, ok := longestMatch(re); ok && w.anchored {
		longest = n + 1
	}
	return byteCost + stateCost*float64(w.widest()), longest
}

// patternWalk finds the largest set of states that a pattern can be in.
type patternWalk struct {
	program  *syntax.Prog
	anchored bool
	// marked has bit pc set where a state is in the set being made; pending are states
	// whose followers are not in it yet.
	marked  []uint64
	pending []uint32
	steps   int
}

// widest is the size of the largest set, or the number of all states where that takes
// too long to find.
func (w *patternWalk) widest() int {
	all := len(w.program.Inst)
	w.marked = make([]uint64, all/64+1)
	runes, ok := w.runes()
	if !ok {
		return all
	}
	start := w.closure(nil, uint32(w.program.Start))
	w.clear(start)
	widest := len(start)
	seen := map[string]bool{key(start): true}
	for queue := [][]uint32{start}; len(queue) > 0; queue = queue[1:] {
		for _, r := range runes {
			next := w.after(queue[0], r)
			if k := key(next); !seen[k] {
				seen[k] = true
				queue = append(queue, next)
				widest = max(widest, len(next))
			}
			if w.steps > stepLimit {
				return all
			}
		}
		if len(seen) > setLimit {
			return all
		}
	}
	return widest
}

// after gives the states behind a character.
func (w *patternWalk) after(states []uint32, r rune) []uint32 {
	var next []uint32
	for _, pc := range states {
		if i := &w.program.Inst[pc]; isRune(i) && i.MatchRune(r) {
			next = w.closure(next, i.Out)
		}
	}
	if !w.anchored {
		next = w.closure(next, uint32(w.program.Start))
	}
	w.clear(next)
	w.steps += len(states) + len(next)
	slices.Sort(next)
	return next
}

// closure adds a state and all that are reached from it without a character. What must
// hold between characters is taken to hold.
func (w *patternWalk) closure(set []uint32, pc uint32) []uint32 {
	w.pending = append(w.pending[:0], pc)
	for len(w.pending) > 0 {
		pc := w.pending[len(w.pending)-1]
		w.pending = w.pending[:len(w.pending)-1]
		if w.marked[pc/64]>>(pc%64)&1 == 1 {
			continue
		}
		w.marked[pc/64] |= 1 << (pc % 64)
		set = append(set, pc)
		switch i := &w.program.Inst[pc]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			w.pending = append(w.pending, i.Out, i.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			w.pending = append(w.pending, i.Out)
		}
	}
	return set
}

// clear takes a finished set's marks away.
func (w *patternWalk) clear(set []uint32) {
	for _, pc := range set {
		w.marked[pc/64] = 0
	}
}

func isRune(i *syntax.Inst) bool {
	switch i.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

// runes gives one character for each group that the pattern treats alike.
func (w *patternWalk) runes() ([]rune, bool) {
	bounds := []rune{0, '\n', '\n' + 1}
	for i := range w.program.Inst {
		inst := &w.program.Inst[i]
		for at := 0; at < len(inst.Rune); at += 2 {
			low, high := inst.Rune[at], inst.Rune[min(at+1, len(inst.Rune)-1)]
			bounds = append(bounds, low, high+1)
			if syntax.Flags(inst.Arg)&syntax.FoldCase != 0 {
				for r := unicode.SimpleFold(low); r != low; r = unicode.SimpleFold(r) {
					bounds = append(bounds, r, r+1)
				}
			}
		}
		if len(bounds) > 100*runeLimit {
			return nil, false
		}
	}
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)
	return bounds, len(bounds) <= runeLimit
}

// key makes a set comparable.
func key(set []uint32) string {
	var b []byte
	for _, pc := range set {
		b = binary.AppendUvarint(b, uint64(pc))
	}
	return string(b)
}

// longestMatch gives the bytes of the longest match, unless there is no such thing.
func longestMatch(re *syntax.Regexp) (int, bool) {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus:
		return 0, false
	case syntax.OpRepeat:
		n, ok := longestMatch(re.Sub[0])
		return n * re.Max, ok && re.Max >= 0
	case syntax.OpLiteral:
		return 4 * len(re.Rune), true
	case syntax.OpCharClass:
		if n := len(re.Rune); n > 0 && re.Rune[n-1] < 0x80 {
			return 1, true
		}
		return 4, true
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 4, true
	}
	longest := 0
	for _, sub := range re.Sub {
		n, ok := longestMatch(sub)
		if !ok {
			return 0, false
		}
		if re.Op == syntax.OpConcat {
			longest += n
		} else {
			longest = max(longest, n)
		}
	}
	return longest, true
}
