package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// question asks for one value of a starter.
type question struct {
	flag string
	text string
	// needed says that there is no usual answer.
	needed bool
	value  *string
}

// questions are in the order in which they are asked: the layout says whether a wallet is
// needed.
func (i *initializer) questions() []question {
	return []question{
		{"pool", "Pool, as host:port, stratum+tcp://host:port or stratum+ssl://host:port", true, &i.Pool},
		{"layout", "How names go to the pool\n" + layoutHelp() + "Layout", false, &i.Layout},
		{"wallet", "Wallet: the address or the account at the pool that is paid", true, &i.Wallet},
		{"port", "Port that miners connect to", false, &i.Port},
		{"name", "Name of the proxy, in logs and metrics", false, &i.Name},
	}
}

// ask asks for every value that no flag gives.
func (i *initializer) ask() error {
	for n, q := range i.questions() {
		if i.given(q.flag) || q.flag == "wallet" && !i.pays() {
			continue
		}
		otherwise := *q.value
		for {
			if err := i.answer(q, otherwise); err != nil {
				return err
			}
			problem := i.wrong(n)
			if problem == nil {
				break
			}
			fmt.Fprintf(i.out, "  That does not do: %v\n", problem)
		}
	}
	return nil
}

// answer reads one answer. An empty one is the usual answer, where there is one.
func (i *initializer) answer(q question, otherwise string) error {
	text := q.text
	if otherwise != "" {
		text += " [" + otherwise + "]"
	}
	fmt.Fprintf(i.out, "%s: ", text)
	line, err := i.in.ReadString('\n')
	if errors.Is(err, io.EOF) && line == "" {
		fmt.Fprintln(i.out)
		return errors.New("the answers ended before the questions did; nothing is written")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if line = strings.TrimSpace(line); line == "" {
		line = otherwise
	}
	*q.value = line
	return nil
}

// wrong says what is wrong with the answer to question n: whatever is wrong with a
// starter that is as usual but for it.
func (i *initializer) wrong(n int) error {
	probe := initializer{starter: usual}
	q, answer := probe.questions()[n], *i.questions()[n].value
	*q.value = answer
	if !probe.pays() {
		probe.Wallet = ""
	}
	return probe.problem()
}
