package stratum

import "testing"

func TestReason(t *testing.T) {
	for line, want := range map[string]string{
		`{"id":4,"result":null,"error":[21,"Job not found",null]}`:                   ReasonStale,
		`{"id":4,"result":null,"error":[22,"x"]}`:                                    ReasonDuplicate,
		`{"id":4,"result":null,"error":[23,"bad-version",null]}`:                     ReasonLowDifficulty,
		`{"id":4,"result":false,"error":[24,"",null]}`:                               ReasonUnauthorized,
		`{"id":4,"result":null,"error":[25,"Not subscribed","Traceback…"]}`:          ReasonNotSubscribed,
		`{"id":4,"result":null,"error":[20,"unknown-work",null]}`:                    ReasonStale,
		`{"id":4,"result":null,"error":[20,"Other",null]}`:                           ReasonOther,
		`{"id":4,"result":null,"error":{"code":22,"message":"no"}}`:                  ReasonDuplicate,
		`{"id":4,"result":null,"error":{"code":-32600,"message":"Unauthorized"}}`:    ReasonUnauthorized,
		`{"id":4,"result":null,"error":"Duplicate share"}`:                           ReasonDuplicate,
		`{"id":4,"result":null,"error":"-1:params not found"}`:                       ReasonOther,
		`{"id":4,"result":null,"error":true}`:                                        ReasonOther,
		`{"id":4,"result":null,"error":[]}`:                                          ReasonOther,
		`{"id":4,"result":null,"error":["21","stale"]}`:                              ReasonStale,
		`{"id":4,"result":null}`:                                                     ReasonOther,
		`{"id":4,"result":false,"error":null}`:                                       ReasonOther,
		`{"id":4,"result":false,"error":null,"reject-reason":"Stale"}`:               ReasonStale,
		`{"id":4,"result":false,"error":null,"reject-reason":"Invalid JobID"}`:       ReasonStale,
		`{"id":4,"result":false,"error":null,"reject-reason":"Duplicate"}`:           ReasonDuplicate,
		`{"id":4,"result":false,"error":null,"reject-reason":"Above target"}`:        ReasonLowDifficulty,
		`{"id":4,"result":false,"error":null,"reject-reason":"Worker mismatch"}`:     ReasonUnauthorized,
		`{"id":4,"result":false,"error":null,"reject-reason":"Ntime out of range"}`:  ReasonOther,
		`{"id":4,"result":false,"error":null,"reject-reason":7}`:                     ReasonOther,
		`{"id":4,"result":null,"error":[23.0,"Low difficulty share of 0.1",null]}`:   ReasonLowDifficulty,
		`{"id":4,"result":null,"error":[99999999999999999999,"high-hash",null]}`:     ReasonLowDifficulty,
		`{"id":4,"result":false,"error":{"message":"difficulty too low","code":-1}}`: ReasonLowDifficulty,
	} {
		raw, m := scanned(t, line)
		if got := Reason(raw, &m); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
		if Accepted(raw, &m) {
			t.Errorf("%s counts as accepted", line)
		}
	}
}

func TestAccepted(t *testing.T) {
	for line, want := range map[string]bool{
		`{"id":4,"result":true,"error":null}`:   true,
		`{"id":4,"result": true }`:              true,
		`{"id":4,"result":"true"}`:              false,
		`{"id":4,"result":1}`:                   false,
		`{"id":4,"result":null,"error":null}`:   false,
		`{"id":4,"result":[true],"error":null}`: false,
	} {
		raw, m := scanned(t, line)
		if got := Accepted(raw, &m); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestAppendReply(t *testing.T) {
	if got, want := string(AppendReply(nil, []byte(`"auth"`), []byte(`true`), nil)), `{"id":"auth","result":true,"error":null}`+"\n"; got != want {
		t.Errorf("got %s", got)
	}
	got := string(AppendErrorReply([]byte("> "), nil, CodeUnauthorized, `not "you"`))
	if want := `> {"id":null,"result":null,"error":[24,"not \"you\"",null]}` + "\n"; got != want {
		t.Errorf("got %s", got)
	}
}
