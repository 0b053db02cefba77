package stratum

import (
	"strings"
	"testing"
)

// free fails if f allocates.
func free(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s: %v allocations", what, n)
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	long := `{"` + strings.Repeat(`\u0069`, 500) + `":"` + strings.Repeat("é", 5000) + `"}`
	lines := append(append([]string{submitLine, replyLine, notifyLine, long}, clientLines...), oddLines...)
	for _, line := range lines {
		b := []byte(line)
		var m Message
		free(t, line[:min(len(line), 60)], func() { _ = Scan(b, &m) })
	}
}

func TestViewsAllocateNothing(t *testing.T) {
	submit, m := scanned(t, submitLine)
	room := make([]Span, 0, 16)
	buf := make([]byte, 0, 1024)
	free(t, "submit", func() {
		s, ok := ParseSubmit(submit, m.Params)
		if !ok {
			t.Fatal("not a submit")
		}
		_, _ = Elements(submit, m.Params, room)
		_, _ = MethodOf(submit, &m)
		_ = IDOf(m.ID.Of(submit))
		_ = Apply(buf, submit, []Edit{{s.Worker, []byte(`"x"`)}})
		_, _ = AppendDecoded(buf, s.Worker.Of(submit))
		_ = AppendString(buf, "account.rig7")
		_ = AppendErrorReply(buf, m.ID.Of(submit), CodeStale, "Job not found")
	})
	notify, n := scanned(t, notifyLine)
	free(t, "notify", func() { _, _ = ParseNotify(notify, n.Params) })
	reply, r := scanned(t, `{"id":4,"result":false,"error":[20,"Low difficulty share",null],"reject-reason":"Above target"}`)
	free(t, "reply", func() { _, _ = Accepted(reply, &r), Reason(reply, &r) })
	difficulty, d := scanned(t, `{"id":null,"method":"mining.set_difficulty","params":[1024.5]}`)
	free(t, "set_difficulty", func() { _, _ = ParseSetDifficulty(difficulty, d.Params) })
	configure, c := scanned(t, clientLines[8])
	free(t, "configure", func() { _, _ = ParseConfigure(configure, c.Params) })
}
