package rules

import "github.com/expr-lang/expr/ast"

// A miner that does not hear of a higher difficulty goes on below the pool's. So no rule
// may keep mining.set_difficulty from the miner, and for a rule that looks at several
// methods its condition must show that this is not one of them.

const (
	keptBack = "Without it the miner stays below the pool's difficulty, and the pool refuses its shares."

	keptBackRemedy = "Name the notification that is meant instead of a pattern, or leave this one out with when = \"method != 'mining.set_difficulty'\"."
	keptBackExact  = "Let it pass; a rule may raise it, as in set { difficulty = \"max(difficulty, 1024)\" }."
)

// withheld refuses a rule that could drop mining.set_difficulty.
func (c *compilation) withheld(r *Rule, when *expression, lang *configured) {
	if r.Kind != Notification || !matchesLabel(r.Method, setDifficulty) || !r.Drop && r.OnError != OnErrorDrop {
		return
	}
	if r.When != nil && when == nil || when != nil && when.readsExample() {
		return // what the condition says is not known
	}
	remedy := keptBackExact
	if r.Method != setDifficulty {
		remedy = keptBackRemedy
		// A condition that fails has come as far as its first part.
		if r.When != nil && spares(settled(*r.When, lang, r.Scope), lang, r.OnError == OnErrorDrop) {
			return
		}
	}
	what := "This rule could drop mining.set_difficulty. "
	if !r.Drop {
		what = "When it fails, this rule could drop mining.set_difficulty. "
		remedy += " Or leave on_error away: the rule is then skipped."
	}
	c.refuse(r.Origin, "Difficulty must reach the miner", what+keptBack+"\n\n"+remedy)
}

// spares reports whether a condition has a part that is false for mining.set_difficulty
// by its method alone. first looks at the first part only.
func spares(condition ast.Node, lang *configured, first bool) bool {
	n, ok := condition.(*ast.BinaryNode)
	if ok && (n.Operator == "and" || n.Operator == "&&") {
		return spares(n.Left, lang, first) || !first && spares(n.Right, lang, false)
	}
	x, mistakes := compileExpression(Source{Text: condition.String()}, lang, nil, boolValue)
	if len(mistakes) > 0 {
		return false
	}
	for i := range x.uses {
		if x.uses[i].entry.from != fromMethod {
			return false
		}
	}
	m := machines.Get().(*machine)
	m.chain, m.msg = &Chain{kind: Notification, userAt: -1}, &Message{Method: setDifficulty}
	v, err := m.eval(x)
	m.chain, m.msg = nil, nil
	machines.Put(m)
	return err == nil && v == false
}
