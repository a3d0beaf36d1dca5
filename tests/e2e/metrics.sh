#!/usr/bin/env bash
# /metrics through Prometheus's own linter, when promtool is there. VITRACE and PROMTOOL may name the programs.
set -uo pipefail
cd "$(dirname "$0")/../.."
binary=${VITRACE:-build/asan/vitrace} promtool=${PROMTOOL:-$(command -v promtool)}
[ -x "$binary" ] || { cmake --build --preset asan --target vitrace -j "$(nproc)" >/dev/null || { echo "0 passed, 1 failed"; exit 1; }; }
work=$(mktemp -d)
"$binary" serve --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 2>"$work/log" & daemon=$!
trap 'kill "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -e "$work/data/addresses.json" ] && break; sleep 0.1; done
admin=$(sed -nE 's/.*"admin" *: *"([^"]+)".*/\1/p' "$work/data/addresses.json")
passed=0 failed=0
check() { # SENTENCE command...
  local sentence=$1; shift
  if "$@" >"$work/out" 2>&1; then echo "ok   $sentence"; passed=$((passed + 1)); else echo "FAIL $sentence"; cat "$work/out"; failed=$((failed + 1)); fi
}
curl -s -m 5 "$admin/metrics" >"$work/metrics"
check "the daemon says what it is" grep -q '^vitrace_build_info{version="[^"]*",schema="[0-9]*"} 1$' "$work/metrics"
check "ready once started" curl -sf -m 5 "$admin/readyz"
if [ -n "$promtool" ]; then
  lint() { local said; said=$("$promtool" check metrics <"$work/metrics" 2>&1) || { echo "$said"; return 1; }; [ -z "$said" ] || { echo "$said"; return 1; }; }
  check "promtool finds nothing to say about /metrics" lint
else
  echo "promtool is not installed (Debian: prometheus): /metrics was not linted"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
