#!/bin/sh
# A cluster of N peers on this machine (default 3), in seconds: peer 1 here in the foreground, the others in the
# background, all data in ./data. Stops all of them when you leave. Needs Node.js and npm; fetches the rest from npm.
#   ./run_p2p.sh [N]          chat in a terminal; /help lists the commands
#   ./run_p2p.sh --secure [N] the same with TLS, keys and an invitation, in ./data/secured
#   printf 'hello\n' | ./run_p2p.sh      says what comes through the pipe, then ends
set -eu
cd "$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)"

secure=
case ${1:-} in --secure) secure=--secure; shift ;; esac
size=${1:-3}
case $size in
  ''|*[!0-9]*|0) echo "run_p2p.sh: the number of peers must be a whole number from 1 to 20, not '$size'" >&2; exit 2 ;;
esac
[ "$size" -le 20 ] || { echo "run_p2p.sh: the number of peers must be a whole number from 1 to 20, not '$size'" >&2; exit 2; }

sh scripts/with-bun.sh scripts/build.ts
chatpeer=./dist/chatpeer
data=./data${secure:+/secured}
mkdir -p "$data"

# Ports 6001 …, or higher ones where some of those are taken.
ports=$(node -e '
const net = require("net");
const free = (port) => new Promise((resolve) => {
  const server = net.createServer().once("error", () => resolve(false)).listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
});
(async () => {
  const ports = [];
  for (let port = 6001; ports.length < Number(process.argv[1]); port++) if (await free(port)) ports.push(port);
  console.log(ports.join(" "));
})();
' "$size")
port_of() { echo "$ports" | cut -d' ' -f"$1"; }
[ "$(port_of 1)" = 6001 ] || echo "port 6001 is taken: using $ports"
from=" --seed 1:127.0.0.1:$(port_of 1)"
if [ -n "$secure" ]; then from=; fi

# Whoever holds a peer's directory, started here or again by hand: its lock names the process and when that began.
pid_of() {
  holder=$(ls "$data/peer$1/lock" 2>/dev/null | head -n 1)
  case $holder in ''|free) return ;; esac
  pid=${holder%%-*}
  rest=${holder#*-}
  if [ -r "/proc/$pid/stat" ]; then
    [ "$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)" = "${rest%%-*}" ] || return 0
  fi
  if kill -0 "$pid" 2>/dev/null; then echo "$pid"; fi
}

# One that has just been started may not hold its directory yet.
started=
inviting=
: >"$data/invited"
stop_all() {
  trap - EXIT INT TERM HUP PIPE
  if [ -n "$inviting" ]; then kill "$inviting" 2>/dev/null || true; fi
  pids="$started $(tr '\n' ' ' <"$data/invited")"
  id=2
  while [ "$id" -le "$size" ]; do
    pid=$(pid_of "$id")
    if [ -n "$pid" ]; then case " $pids " in *" $pid "*) ;; *) pids="$pids $pid" ;; esac; fi
    id=$((id + 1))
  done
  rm -f "$data/invitation"
  # Together, as when a room closes: each is given its two seconds by its own clock.
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  for pid in $pids; do
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 40 ]; do
      sleep 0.1
      tries=$((tries + 1))
    done
    kill -9 "$pid" 2>/dev/null || true
  done
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'exit 141' PIPE

# Whoever has not joined yet is invited by peer 1, as soon as that runs.
invite_new() {
  tries=0
  until (umask 077; $chatpeer invite --uses $# --expires 30m --data-dir "$data/peer1" >"$data/invitation" 2>/dev/null) || [ "$tries" -ge 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  for id; do
    $chatpeer join --id "$id" --port "$(port_of "$id")" --data-dir "$data/peer$id" --invite-file "$data/invitation" --headless --json \
      >"$data/peer$id.events" 2>"$data/peer$id.log" </dev/null &
    echo $! >>"$data/invited"
  done
}

echo "starting peers 2 to $size in the background (logs: $data/peer*.log):"
new=
id=2
while [ "$id" -le "$size" ]; do
  command="$chatpeer --id $id --port $(port_of "$id")$from --data-dir $data/peer$id"
  : >"$data/peer$id.events"
  if [ -n "$secure" ] && [ ! -f "$data/peer$id/identity.json" ]; then
    new="$new $id"
    echo "  peer $id: invited by peer 1   kill it: kill -9 \$(ls $data/peer$id/lock | cut -d- -f1)   start it again: $command --headless"
  else
    $command --headless --json >"$data/peer$id.events" 2>"$data/peer$id.log" </dev/null &
    started="$started $!"
    echo "  peer $id: pid $!   kill it: kill -9 $!   start it again: $command --headless"
  fi
  id=$((id + 1))
done
if [ -n "$new" ]; then
  invite_new $new &
  inviting=$!
fi
dirs=
id=1
while [ "$id" -le "$size" ]; do
  dirs="$dirs $data/peer$id"
  id=$((id + 1))
done
echo "  peer 1 is you, here. Who leads: /status. ${secure:+Let others in: /invite; who is: /access. }Leave: /quit"
echo "  compare the logs:  $chatpeer verify$dirs"
echo

# The last peer's newest word on who leads, once somebody other than peer 1 does (a young cluster hands over to it).
formed() { grep -o '"event":"role".*' "$data/peer$size.events" | tail -n 1 | grep -q '"leader_id":\([2-9]\|1[0-9]\|20\)}'; }

code=0
if [ -t 0 ] || [ "$size" -lt 3 ]; then
  $chatpeer --id 1 $secure --port "$(port_of 1)" --data-dir "$data/peer1" || code=$?
else
  {
    tries=0
    until formed || [ "$tries" -ge 100 ]; do
      sleep 0.1
      tries=$((tries + 1))
    done
    cat
  } | $chatpeer --id 1 $secure --port "$(port_of 1)" --data-dir "$data/peer1" || code=$?
fi
stop_all
if [ "$code" -eq 0 ]; then $chatpeer verify $dirs || code=$?; fi
exit "$code"
