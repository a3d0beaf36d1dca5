#!/usr/bin/env bash
# Time to the durable answer at 50 % and 90 % of the capacity that the same run measures, beside what the disk itself takes
# (vitrace bench fsync) in the same minute; and the memory of the daemon, idle and afterwards. Server on core 0, load on
# core 1. Not part of the suite.
#   tests/perf/latency.sh [ROUNDS] [SECONDS] [CONNECTIONS]      VITRACE, LATENCY = paths of the programs
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-3} seconds=${2:-5} connections=${3:-256}
binary=${VITRACE:-build/release/vitrace} client=${LATENCY:-build/release/tests/perf/latency}
[ -x "$binary" ] && [ -x "$client" ] || cmake --build --preset release --target vitrace latency
work=$(mktemp -d -p "${TMPDIR:-/tmp}")
node tests/perf/ingest_beacon.mjs shop >"$work/beacon"
cat >"$work/vitrace.yaml" <<'YAML'
apps:
  - name: shop
    origins: ["https://shop.example"]
limits: { ip_per_second: 0, app_per_second: 0, global_per_second: 0, connections_per_ip: 0 }
YAML
taskset -c 0 "$binary" serve --config "$work/vitrace.yaml" --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 \
  --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 2>"$work/log" & daemon=$!
trap 'kill "$daemon" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -e "$work/data/addresses.json" ] && break; sleep 0.1; done
[ -e "$work/data/addresses.json" ] || { cat "$work/log"; exit 1; }
port=$(sed -nE 's/.*"listen" *: *"[^"]*:([0-9]+)".*/\1/p' "$work/data/addresses.json")
rss() { awk '/VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$daemon/status"; }
# The index follows the log; what it still owes of one load must not be charged to the next.
settle() {
  local task before=-1 now
  for task in "/proc/$daemon/task"/*; do [ "$(cat "$task/comm")" = vitrace-index ] && break; done
  for _ in $(seq 100); do
    read -r now _ <"$task/schedstat"
    [ "$before" -ge 0 ] && [ $((now - before)) -lt 20000000 ] && return 0
    before=$now; sleep 0.3
  done
}
load() { taskset -c 1 "$client" "$port" "$work/beacon" "$connections" "$seconds" "$1"; }

echo "beacon: $(stat -c %s "$work/beacon") bytes; $connections connections; $rounds rounds of $seconds s; $(nproc) cores"
echo "RSS idle: $(rss) MiB"
for round in $(seq "$rounds"); do
  read -r capacity _ <<<"$(load 0)"
  echo "round $round: capacity $capacity a second"
  settle
  "$binary" bench fsync --data "$work" | sed -n 's/^ *65536 bytes/  disk, 64 KiB:  /p' | tee -a "$work/disk"
  for percent in 50 90; do
    read -r rate p50 p99 p999 most refused <<<"$(load $((capacity * percent / 100)))"
    settle
    echo "  at $percent %: $rate a second  p50 $p50  p99 $p99  p999 $p999  max $most ms  refused $refused" | tee -a "$work/at$percent"
  done
done
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
disk=$(sed -nE 's/.*p99 +([0-9.]+) ms.*/\1/p' "$work/disk" | median)
for percent in 50 90; do
  p99=$(sed -nE 's/.*p99 ([0-9.]+).*/\1/p' "$work/at$percent" | median)
  awk -v p="$percent" -v is="$p99" -v disk="$disk" 'BEGIN {
    printf "median p99 at %d %%: %.2f ms, %.2f times that of the disk (%.2f ms)\n", p, is, is / disk, disk }'
done
echo "RSS after full load: $(rss) MiB (most: $(awk '/VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$daemon/status"))"
