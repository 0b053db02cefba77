package stratum

import (
	"strings"
	"testing"
)

const (
	submitLine = `{"params": ["bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh.rig7", "6601f4d100001c3d", "0000000000000001", "65f1a2b3", "9a8b7c6d", "00006000"], "id": 7, "method": "mining.submit"}`
	replyLine  = `{"id":12345,"result":true,"error":null}`
)

// notifyLine is a job of about 2 KB with 12 merkle branches.
var notifyLine = `{"params":["6601f4d100001c3d","` + strings.Repeat("0f", 32) + `","` + strings.Repeat("1a", 140) + `","` +
	strings.Repeat("2b", 260) + `",["` + strings.Join(strings.Split(strings.Repeat(strings.Repeat("3c", 32)+" ", 11)+strings.Repeat("3c", 32), " "), `","`) +
	`"],"20000000","17034219","65f1a2b3",false],"id":null,"method":"mining.notify"}`

var benchLines = map[string]string{
	"subscribe": clientLines[0], "authorize": clientLines[3], "submit": submitLine, "reply": replyLine, "notify": notifyLine,
	"cpuminer-submit": clientLines[4], "esp-submit": clientLines[14],
}

func BenchmarkScan(b *testing.B) {
	for _, name := range []string{"subscribe", "authorize", "submit", "cpuminer-submit", "esp-submit", "reply", "notify"} {
		line := []byte(benchLines[name])
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			var m Message
			for b.Loop() {
				if err := Scan(line, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseSubmit(b *testing.B) {
	line := []byte(submitLine)
	var m Message
	_ = Scan(line, &m)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseSubmit(line, m.Params); !ok {
			b.Fatal("not a submit")
		}
	}
}

func BenchmarkRewriteWorker(b *testing.B) {
	line := []byte(submitLine)
	var m Message
	_ = Scan(line, &m)
	buf := make([]byte, 0, 1024)
	worker := []byte(`"account.rig7"`)
	b.ReportAllocs()
	for b.Loop() {
		submit, _ := ParseSubmit(line, m.Params)
		buf = Apply(buf[:0], line, []Edit{{submit.Worker, worker}})
	}
}

func BenchmarkParseNotify(b *testing.B) {
	line := []byte(notifyLine)
	var m Message
	_ = Scan(line, &m)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseNotify(line, m.Params); !ok {
			b.Fatal("not a notify")
		}
	}
}

func BenchmarkIDOf(b *testing.B) {
	id := []byte("12345")
	b.ReportAllocs()
	for b.Loop() {
		if IDOf(id).IsNull() {
			b.Fatal("null")
		}
	}
}
