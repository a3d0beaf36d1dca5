#!/usr/bin/env bash
# Beacons per CPU-second of the whole daemon (parse, validate, deduplicate, fdatasync, index), and of what is needed until
# the durable 204 (without the index, which follows the log), beside nginx answering 204 to the same bytes unread. HTTP/1.1
# with 64 connections and with 512, kept or closed, and HTTP/2 with 8 connections of 32 streams. Server on core 0, load on
# core 1, rounds interleaved. Not part of the suite. With few connections a commit holds few beacons, and the server waits
# for the disk between them; with many it never waits.
#   tests/perf/ingest.sh [ROUNDS] [SECONDS]      VITRACE=path of the binary; MODES="keep-alive-64 http2": only these;
#                                                TLS=1: HTTP/1.1 over TLS 1.3, one P-256 certificate
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-3} seconds=${2:-4}
binary=${VITRACE:-build/release/vitrace}
nginx=$(command -v nginx || echo /usr/sbin/nginx)
command -v wrk >/dev/null && [ -x "$nginx" ] || apt-get install -y -q wrk nginx-light >/dev/null
[ -x "$binary" ] || cmake --build --preset release --target vitrace
load=build/release/tests/perf/h2_load
cmake --build --preset release --target h2_load >/dev/null
work=$(mktemp -d -p "${TMPDIR:-/tmp}")
node tests/perf/ingest_beacon.mjs shop >"$work/beacon"

tls=() scheme=http nginx_tls="" # `close` is then a whole handshake a request
if [ "${TLS:-0}" = 1 ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 2 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
  tls=(--tls-certificate "$work/cert.pem" --tls-key "$work/key.pem") scheme=https
  nginx_tls="ssl; ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem; ssl_protocols TLSv1.2 TLSv1.3"
fi

# No limits: one address is the load of a whole country here.
cat >"$work/vitrace.yaml" <<'YAML'
apps:
  - name: shop
    origins: ["https://shop.example"]
limits: { ip_per_second: 0, app_per_second: 0, global_per_second: 0, connections_per_ip: 0 }
YAML
taskset -c 0 "$binary" serve --config "$work/vitrace.yaml" --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 \
  --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 "${tls[@]}" 2>"$work/log" & daemon=$!
trap 'kill "$daemon" ${web:+"$web"} 2>/dev/null || true; wait; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -e "$work/data/addresses.json" ] && break; sleep 0.1; done
[ -e "$work/data/addresses.json" ] || { cat "$work/log"; exit 1; }
vitrace=$(sed -nE 's/.*"listen" *: *"([^"]+)".*/\1/p' "$work/data/addresses.json")

port=$((20000 + RANDOM % 10000)) port2=$((30000 + RANDOM % 2000))
cat >"$work/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/nginx.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000;
  client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
  server { listen 127.0.0.1:$port $nginx_tls; location / { return 204; } }
  server { listen 127.0.0.1:$port2 http2; location / { return 204; } } }
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
round() { # NAME URL MODE PID...: NAME, requests per CPU-second, and without the index thread; requests per second
  local name=$1 url=$2 mode=$3 all path count; shift 3
  seq=$((seq + 5000000))
  all=$(spent none "$@") path=$(spent vitrace-index "$@")
  if [ "$mode" = http2 ]; then
    taskset -c 1 "$load" "${url##*:}" "$work/beacon" "$seq" 8 32 "$seconds" >"$work/wrk"
  else
    BEACON=$work/beacon CLOSE=$([ "${mode%-*}" = close ] && echo 1 || echo 0) SEQ=$seq taskset -c 1 wrk -t1 -c"${mode##*-}" -d"${seconds}s" -s tests/perf/ingest.lua "$url/v1/beacon" >"$work/wrk"
  fi
  all=$(($(spent none "$@") - all)) path=$(($(spent vitrace-index "$@") - path))
  grep -q "Non-2xx" "$work/wrk" && { cat "$work/wrk" >&2; exit 1; }
  count=$(awk '/requests in/ { print $1 }' "$work/wrk")
  echo "$name $((count * 1000000 / all)) $((count * 1000000 / path)) $((count / seconds))"
}
echo "beacon: $(stat -c %s "$work/beacon") bytes; $rounds rounds of $seconds s; $(nproc) cores; binary $binary"
for mode in ${MODES:-keep-alive-64 keep-alive-512 close-64 close-512 http2}; do
  [ "$mode" = http2 ] && [ "$scheme" = https ] && continue # its load client speaks no TLS
  [ "$mode" = http2 ] && web_port=$port2 || web_port=$port
  for _ in $(seq "$rounds"); do
    round nginx "$scheme://127.0.0.1:$web_port" "$mode" "$web" $(pgrep -P "$web")
    round vitrace "$vitrace" "$mode" "$daemon"
  done >"$work/$mode"
  awk -v mode="$mode" '{ printf "%-14s %-8s %7d requests per CPU-second, %7d to the durable answer; %6d per second\n", mode, $1, $2, $3, $4 }' "$work/$mode"
  median() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$work/$mode" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
  awk -v mode="$mode" -v all="$(median vitrace 2)" -v path="$(median vitrace 3)" -v nginx="$(median nginx 2)" 'BEGIN {
    printf "%s: medians: nginx %d; vitrace %d (ratio %.2f), to the durable answer %d (ratio %.2f)\n", mode, nginx, all, all / nginx, path, path / nginx }'
done
echo "CPU seconds by thread of vitrace:"
for task in "/proc/$daemon/task"/*; do echo "  $(cat "$task/comm") $(awk '{ printf "%.2f", $1 / 1e9 }' "$task/schedstat")"; done | sort -k2 -rn | head -6
