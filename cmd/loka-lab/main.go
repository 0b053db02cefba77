package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills
	if err := newCommand(os.Stdout).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "loka-lab:", err)
		os.Exit(1)
	}
}

func newCommand(out io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "loka-lab",
		Short:         "A mining pool and miners to try a Stratum proxy with",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(out)
	root.AddCommand(newPoolCommand(), newMinersCommand())
	return root
}

// printer writes lines with the time of day, one at a time.
type printer struct {
	mu  sync.Mutex
	out io.Writer
}

func (p *printer) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// every calls f at intervals until the context ends; never if the interval is zero.
func every(ctx context.Context, interval time.Duration, f func()) {
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f()
		case <-ctx.Done():
			return
		}
	}
}

// hashRate is what finds shares of so much difficulty in so much time.
func hashRate(difficulty float64, took time.Duration) string {
	rate := difficulty * (1 << 32) / max(took.Seconds(), 1e-3)
	for _, unit := range []string{"", "k", "M", "G", "T"} {
		if rate < 999.5 { // which would be printed as 1e+03
			return fmt.Sprintf("%.3g %sH/s", rate, unit)
		}
		rate /= 1000
	}
	return fmt.Sprintf("%.0f PH/s", rate)
}
