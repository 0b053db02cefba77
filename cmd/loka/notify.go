package main

import (
	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/hashicorp/go-hclog"
)

// notifier tells systemd how loka is, where systemd has started it (Type=notify or
// notify-reload); otherwise nobody is told.
type notifier struct{ log hclog.Logger }

// ready says that miners are served, under the policy that is in force.
func (n notifier) ready() { n.tell(daemon.SdNotifyReady) }

// reloading says that the policy is being reloaded; ready follows, whatever comes of it.
func (n notifier) reloading() {
	n.tell(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// stopping says that loka ends.
func (n notifier) stopping() { n.tell(daemon.SdNotifyStopping) }

func (n notifier) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		n.log.Warn("systemd is not told", "error", err)
	}
}
