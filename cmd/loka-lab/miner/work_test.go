package miner

import (
	"net"
	"testing"

	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// TestLeavesHopelessWork is about a miner that would hash for hours if it did not look up.
func TestLeavesHopelessWork(t *testing.T) {
	p, address := startPool(t, pool.Config{Difficulty: 1e9})
	m := running(t, Config{Address: address, User: "u", Kind: CGMiner, MaxAccepted: 1})
	ctx := patient(t)
	if err := m.Wait(ctx, func(s Stats) bool { return s.Jobs == 1 && s.Logins == 1 }); err != nil {
		t.Fatal(err)
	}
	p.SetDifficulty(1e-8)
	if err := m.Wait(ctx, func(s Stats) bool { return s.Accepted == 1 }); err != nil {
		t.Fatal(err)
	}
}

const (
	easyNotice = `{"id":null,"method":"mining.set_difficulty","params":[1e-9]}`
	fakeJob    = `{"id":null,"method":"mining.notify","params":["j","0000000000000000000000000000000000000000000000000000000000000000","00","00",[],"20000000","17034219","65f1a2b3",true]}`
	nonceThree = `{"id":null,"method":"mining.set_extranonce","params":["f3",4]}`
)

// TestLostShares is about a connection that ends before the reply.
func TestLostShares(t *testing.T) {
	address := fakePool(t, "<", `{"id":1,"result":[[],"f0",4],"error":null}`, "<", `{"id":2,"result":true}`, easyNotice, fakeJob, "<", "")
	m := New(Config{Address: address, User: "u", MaxSubmitted: 1, Once: true}) // the blank line is the end for it
	if err := m.Run(patient(t)); err == nil {
		t.Error("no error")
	}
	if s := m.Stats(); s.Submitted != 1 || s.Unanswered != 1 {
		t.Errorf("%+v", s)
	}
}

// TestWorkChangesInOnePiece is about ESP-Miner, which uses a new extranonce1 at once: with the job that came with it,
// and not with the one before.
func TestWorkChangesInOnePiece(t *testing.T) {
	here, there := net.Pipe()
	defer func() { _, _ = here.Close(), there.Close() }()
	v := newVisit(New(Config{Kind: ESPMiner}), here)
	v.nonce1, v.size = []byte{0xf0}, 4
	read := func() {
		t.Helper()
		m, err := v.read(v.dialect.silence)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.handle(m); err != nil {
			t.Fatal(err)
		}
		v.publish()
	}
	write := func(lines string) { go func() { _, _ = there.Write([]byte(lines)) }() }
	write(fakeJob + "\n")
	read()
	if v.task.number != 1 || v.task.extranonce1[0] != 0xf0 {
		t.Errorf("after the job: %+v", v.task)
	}
	write(nonceThree + "\n" + fakeJob + "\n")
	read()
	if v.task.number != 1 || v.task.extranonce1[0] != 0xf0 {
		t.Errorf("with half of the change: %+v", v.task)
	}
	read()
	if v.task.number != 2 || v.task.extranonce1[0] != 0xf3 {
		t.Errorf("after the change: %+v", v.task)
	}
	write(nonceThree + "\n")
	read()
	if v.task.number != 2 || v.task.extranonce1[0] != 0xf3 {
		t.Errorf("a new extranonce alone is not used at once: %+v", v.task)
	}
}
