#!/bin/sh
# A lab pool that checks every share, loka with this folder's policy in front of it, and
# three lab miners that really mine. Ctrl-C ends all of them.
#
# Needs bin/loka and bin/loka-lab (make build).
set -u
cd "$(dirname "$0")/../.."

# start NAME COMMAND... runs a command in the background, its output marked with NAME.
start() {
	name=$1
	shift
	pipe=$(mktemp -u) && mkfifo "$pipe" || exit 1
	sed "s/^/$name | /" <"$pipe" &
	"$@" >"$pipe" 2>&1 &
	last=$!
	all="$all $last"
	pipes="$pipes $pipe"
}

# stop ends what was started, and waits until it has ended.
stop() {
	trap - INT TERM EXIT
	kill $all 2>/dev/null
	wait
	rm -f $pipes
}

all='' pipes=''
trap 'stop; exit 0' INT TERM
trap stop EXIT

start 'pool  ' bin/loka-lab pool --listen 127.0.0.1:13333 --difficulty 0.0001
start 'loka  ' bin/loka run --config examples/quickstart --state off
loka=$last
until bin/loka health >/dev/null 2>&1; do
	kill -0 "$loka" 2>/dev/null || { wait "$loka"; exit $?; }
	sleep 0.1
done
start 'miners' bin/loka-lab miners --address 127.0.0.1:3333 --kind cpuminer,cgminer-rolling,esp-miner --user john.test{n}

wait "$loka" # it ends by itself only if it cannot run
exit $?
