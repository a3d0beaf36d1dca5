#!/usr/bin/env bash
# Spans per CPU-second of the whole daemon over OTLP/HTTP, in batches of 100: to the durable answer (receive, inflate, check,
# fdatasync) and with the joiner and the index, which follow the log. Server on core 0, load on core 1, plain and gzip
# interleaved. Not part of the suite. otlp_bench.c has the reading alone.
#   tests/perf/otlp.sh [ROUNDS] [SECONDS]      VITRACE=path of the binary
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-3} seconds=${2:-4}
count=3000 # more spans than the joiner's window holds: what is sent again is new to it again
binary=${VITRACE:-build/release/vitrace}
command -v wrk >/dev/null || apt-get install -y -q wrk >/dev/null
[ -x "$binary" ] || cmake --build --preset release --target vitrace
work=$(mktemp -d -p "${TMPDIR:-/tmp}")
mkdir "$work/batch"
node tests/perf/otlp_batch.mjs "$work/batch" "$count"
taskset -c 0 "$binary" serve --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --otlp-http 127.0.0.1:0 \
  --otlp-grpc '' 2>"$work/log" & daemon=$!
trap 'kill "$daemon" 2>/dev/null || true; wait; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -e "$work/data/addresses.json" ] && break; sleep 0.1; done
[ -e "$work/data/addresses.json" ] || { cat "$work/log"; exit 1; }
url=$(sed -nE 's/.*"otlp_http" *: *"([^"]+)".*/\1/p' "$work/data/addresses.json")
admin=$(sed -nE 's/.*"admin" *: *"([^"]+)".*/\1/p' "$work/data/addresses.json")

spent() { # NAME: CPU microseconds of that thread ("all": of all), from schedstat, which is exact
  local task
  for task in "/proc/$daemon/task"/*; do
    [ "$1" = all ] || [ "$(cat "$task/comm")" = "$1" ] || continue
    cat "$task/schedstat"
  done | awk '{ sum += $1 } END { printf "%d\n", sum / 1000 }'
}
accepted() { curl -s "$admin/metrics" | awk '/^vitrace_spans_accepted_total/ { print $2 }'; }
settled() { # the index has read all that the log has: its time no longer grows
  local before=-1 now
  for _ in $(seq 200); do
    now=$(spent vitrace-index)
    [ "$before" -ge 0 ] && [ $((now - before)) -lt 20000 ] && return 0
    before=$now; sleep 0.3
  done
}
round() { # NAME GZIP: NAME, spans per CPU-second to the durable answer and with the index; spans a second
  local all index spans
  settled
  all=$(spent all) index=$(spent vitrace-index) spans=$(accepted)
  DIR=$work/batch COUNT=$count GZIP=$2 taskset -c 1 wrk -t1 -c64 -d"${seconds}s" -s tests/perf/otlp.lua "$url/v1/traces" >"$work/wrk"
  grep -q "Non-2xx" "$work/wrk" && { cat "$work/wrk" >&2; exit 1; }
  settled
  all=$(($(spent all) - all)) index=$(($(spent vitrace-index) - index)) spans=$(($(accepted) - spans))
  echo "$1 $((spans * 1000000 / (all - index))) $((spans * 1000000 / all)) $((spans / seconds))"
}
echo "batch: 100 spans, $(stat -c %s "$work/batch/0") bytes, $(stat -c %s "$work/batch/0.gz") compressed; $rounds rounds of $seconds s; $(nproc) cores"
for _ in $(seq "$rounds"); do
  round plain 0
  round gzip 1
done | tee "$work/rounds" | awk '{ printf "%-6s %8d spans per CPU-second to the durable answer, %8d with the index; %7d a second\n", $1, $2, $3, $4 }'
for name in plain gzip; do
  median() { awk -v name="$name" -v column="$1" '$1 == name { print $column }' "$work/rounds" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
  echo "$name: medians: $(median 2) to the durable answer, $(median 3) with the index"
done
