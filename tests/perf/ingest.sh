#!/usr/bin/env bash
# Beacons per CPU-second of the whole daemon (parse, validate, deduplicate, fdatasync, index), and of what is needed until
# the durable 204 (without the index, which follows the log), beside nginx answering 204 to the same bytes unread. Server on core 0, load on core 1, rounds interleaved. Not part of the suite.
# With few connections a commit has few beacons and the server sleeps in between; with many both work without a pause.
#   tests/perf/ingest.sh [ROUNDS] [SECONDS] ["CONNECTIONS ..."]      VITRACE=path of the binary
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-3} seconds=${2:-4} connections=${3:-64 512}
binary=${VITRACE:-build/release/vitrace}
nginx=$(command -v nginx || echo /usr/sbin/nginx)
command -v wrk >/dev/null && [ -x "$nginx" ] || apt-get install -y -q wrk nginx-light >/dev/null
[ -x "$binary" ] || cmake --build --preset release --target vitrace
work=$(mktemp -d -p "${TMPDIR:-/tmp}")
node tests/perf/ingest_beacon.mjs shop >"$work/beacon"

# No limits: one address is the load of a whole country here.
cat >"$work/vitrace.yaml" <<'YAML'
apps:
  - name: shop
    origins: ["https://shop.example"]
limits: { ip_per_second: 0, app_per_second: 0, global_per_second: 0, connections_per_ip: 0 }
YAML
taskset -c 0 "$binary" serve --config "$work/vitrace.yaml" --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 \
  --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 2>"$work/log" & daemon=$!
trap 'kill "$daemon" ${web:+"$web"} 2>/dev/null || true; wait; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -e "$work/data/addresses.json" ] && break; sleep 0.1; done
[ -e "$work/data/addresses.json" ] || { cat "$work/log"; exit 1; }
vitrace=$(sed -nE 's/.*"listen" *: *"([^"]+)".*/\1/p' "$work/data/addresses.json")

port=$((20000 + RANDOM % 10000))
cat >"$work/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/nginx.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000;
  client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
  server { listen 127.0.0.1:$port; location / { return 204; } } }
CONF
taskset -c 0 "$nginx" -c "$work/nginx.conf" 2>>"$work/log" & web=$!
for _ in $(seq 50); do pgrep -P "$web" >/dev/null && break; sleep 0.1; done

# CPU time in microseconds of these processes' threads, without those named SKIP. From schedstat, which is exact; the ticks
# of /proc/PID/stat are samples, and a server that sleeps between requests is easily missed by half.
spent() { # SKIP PID...
  local skip=$1 pid task; shift
  for pid; do for task in "/proc/$pid/task"/*; do
    [ "$(cat "$task/comm")" = "$skip" ] || cat "$task/schedstat"
  done; done | awk '{ sum += $1 } END { printf "%d\n", sum / 1000 }'
}
seq=0
round() { # NAME URL CLOSE CONNECTIONS PID...: NAME, requests per CPU-second, and without the index thread; requests per second
  local name=$1 url=$2 close=$3 open=$4 all path count; shift 4
  seq=$((seq + 5000000))
  all=$(spent none "$@") path=$(spent vitrace-index "$@")
  BEACON=$work/beacon CLOSE=$close SEQ=$seq taskset -c 1 wrk -t1 -c"$open" -d"${seconds}s" -s tests/perf/ingest.lua "$url/v1/beacon" >"$work/wrk"
  all=$(($(spent none "$@") - all)) path=$(($(spent vitrace-index "$@") - path))
  grep -q "Non-2xx" "$work/wrk" && { cat "$work/wrk" >&2; exit 1; }
  count=$(awk '/requests in/ { print $1 }' "$work/wrk")
  echo "$name $((count * 1000000 / all)) $((count * 1000000 / path)) $((count / seconds))"
}
echo "beacon: $(stat -c %s "$work/beacon") bytes; $rounds rounds of $seconds s; $(nproc) cores; binary $binary"
for open in $connections; do for close in 0 1; do
  [ "$close" = 0 ] && mode=keep-alive-$open || mode=close-$open
  for _ in $(seq "$rounds"); do
    round nginx "http://127.0.0.1:$port" "$close" "$open" "$web" $(pgrep -P "$web")
    round vitrace "$vitrace" "$close" "$open" "$daemon"
  done >"$work/$mode"
  awk -v mode="$mode" '{ printf "%-14s %-8s %7d requests per CPU-second, %7d to the durable answer; %6d per second\n", mode, $1, $2, $3, $4 }' "$work/$mode"
  median() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$work/$mode" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
  awk -v mode="$mode" -v all="$(median vitrace 2)" -v path="$(median vitrace 3)" -v nginx="$(median nginx 2)" 'BEGIN {
    printf "%s: medians: nginx %d; vitrace %d (ratio %.2f), to the durable answer %d (ratio %.2f)\n", mode, nginx, all, all / nginx, path, path / nginx }'
done; done
echo "CPU seconds by thread of vitrace:"
for task in "/proc/$daemon/task"/*; do echo "  $(cat "$task/comm") $(awk '{ printf "%.2f", $1 / 1e9 }' "$task/schedstat")"; done | sort -k2 -rn | head -6
