# shellcheck shell=bash
# What a person sees while a long step runs: one line with the elapsed time, and the log when it fails.
# Steps that end within two seconds say nothing.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "dev: $*"
  exit 1
}

# long_step WHAT COMMAND…: runs COMMAND with its output in a log file, which is shown when it fails.
long_step() {
  local what=$1 log ticker status=0 start=$SECONDS
  shift
  mkdir -p target/dev
  log=target/dev/$(printf '%s' "$what" | tr -cs 'A-Za-z0-9' '-').log
  show_elapsed "$what" &
  ticker=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  [ ! -t 2 ] || printf '\r\033[K' >&2
  if [ "$status" -ne 0 ]; then
    tail -n 60 "$log" >&2
    say "dev: failed after $((SECONDS - start)) s: $what (all of its output: $log)"
    return "$status"
  fi
  [ $((SECONDS - start)) -lt 2 ] || say "  $what: $((SECONDS - start)) s"
}

# On a terminal the line is rewritten each second; elsewhere one line now and then shows that the step is alive.
show_elapsed() {
  local what=$1 start=$SECONDS pause=30
  # The pause runs in the background and is waited for, so that the signal that ends this process ends both.
  trap 'kill "$!" 2>/dev/null; exit 0' TERM
  pause_for 2
  [ ! -t 2 ] || pause=1
  while :; do
    if [ -t 2 ]; then
      printf '\r\033[K  %s … %s s' "$what" "$((SECONDS - start))" >&2
    else
      say "  $what … $((SECONDS - start)) s"
    fi
    pause_for "$pause"
  done
}

pause_for() {
  sleep "$1" >/dev/null 2>&1 &
  wait "$!"
}
