#!/usr/bin/env bash
# /metrics through Prometheus's own linter and parser, and scraped by a real Prometheus with the files that we ship: a bearer token, alert
# rules, a dashboard. VITRACE, PROMETHEUS and PROMTOOL may name the programs.
set -uo pipefail
cd "$(dirname "$0")/../.."
binary=${VITRACE:-build/asan/vitrace} promtool=${PROMTOOL:-$(command -v promtool)} prometheus=${PROMETHEUS:-$(command -v prometheus)}
[ -x "$binary" ] || { cmake --build --preset asan --target vitrace -j "$(nproc)" >/dev/null || { echo "0 passed, 1 failed"; exit 1; }; }
packaging=$PWD/collector/packaging/prometheus
work=$(mktemp -d)
daemon="" scraper=""
trap 'kill $daemon $scraper 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
"$binary" token new >"$work/token"
sed -n 2p "$work/token" >"$work/vitrace.yaml"
sed -nE 's/^token: //p' "$work/token" | tr -d '\n' >"$work/vitrace-token"
"$binary" serve --config "$work/vitrace.yaml" --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 2>"$work/log" & daemon=$!
for _ in $(seq 100); do [ -e "$work/data/addresses.json" ] && break; sleep 0.1; done
address() { sed -nE "s/.*\"$1\" *: *\"([^\"]+)\".*/\1/p" "$work/data/addresses.json"; }
admin=$(address admin) listen=$(address listen)
token=(-H "Authorization: Bearer $(cat "$work/vitrace-token")")
passed=0 failed=0
check() { # SENTENCE command...
  local sentence=$1; shift
  if "$@" >"$work/out" 2>&1; then echo "ok   $sentence"; passed=$((passed + 1)); else echo "FAIL $sentence"; cat "$work/out"; failed=$((failed + 1)); fi
}
node tests/e2e/beacon_sample.mjs shop >"$work/beacon"
for _ in 1 2 3; do curl -s -m 5 -o "$work/out" -X POST -H 'Content-Type: text/plain' --data-binary "@$work/beacon" "$listen/v1/beacon"; done
curl -s -m 5 "${token[@]}" "$admin/metrics" >"$work/metrics"
check "the daemon says what it is" grep -q '^vitrace_build_info{version="[^"]*",schema="[0-9]*"} 1$' "$work/metrics"
check "ready once started" curl -sf -m 5 "$admin/readyz"

if [ -n "$promtool" ]; then
  lint() { local said; said=$("$promtool" check metrics <"$work/metrics" 2>&1) || { echo "$said"; return 1; }; [ -z "$said" ] || { echo "$said"; return 1; }; }
  check "promtool finds nothing to say about /metrics" lint
  check "promtool takes the alert rules that we ship" "$promtool" check rules "$packaging/alerts.yaml"
  cp "$packaging"/*.yaml "$work/"
  check "and the scrape configuration" "$promtool" check config "$work/prometheus.yaml"
  check "the rules fire and stay quiet when they should" "$promtool" test rules "$PWD/tests/e2e/alerts_test.yaml"
else
  echo "promtool is not installed (Debian: prometheus): /metrics was not linted"
fi
# Every metric that a rule or a panel asks for is one that the daemon has: a misspelled one would be silent for ever.
known() { grep -ohE '\bvitrace_[a-z0-9_]+' "$packaging/alerts.yaml" "$packaging/grafana.json" | sed -E 's/_(bucket|sum|count)$//' | sort -u |
  while read -r name; do grep -q "^# TYPE $name " "$work/metrics" || echo "$name is no metric of ours"; done | tee "$work/unknown"; [ ! -s "$work/unknown" ]; }
check "rules and dashboard ask for metrics that there are" known

# The real one, for some seconds, with the shipped files; only the target, the interval and the port are the test's.
if [ -n "$prometheus" ] && [ -n "$promtool" ]; then
  sed -i -e "s/127.0.0.1:4320/${admin#http://}/" -e 's/scrape_interval: .*/scrape_interval: 1s\n  evaluation_interval: 1s/' "$work/prometheus.yaml"
  for _ in 1 2 3 4 5; do # it prints no port of its own choice; one may be taken all the same
    port=$((10000 + RANDOM % 20000))
    "$prometheus" --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/tsdb" --web.listen-address="127.0.0.1:$port" \
      --storage.tsdb.retention.time=1h --log.level=error 2>"$work/prometheus.log" & scraper=$!
    for _ in $(seq 100); do curl -sf -m 1 "http://127.0.0.1:$port/-/ready" >/dev/null 2>&1 && break 2; kill -0 "$scraper" 2>/dev/null || break; sleep 0.1; done
  done
  ask() { curl -s -m 5 -G "http://127.0.0.1:$port/api/v1/$1" "${@:2}"; }
  is_up() { for _ in $(seq 100); do ask targets | grep -q '"health":"up"' && return 0; sleep 0.1; done; ask targets; cat "$work/prometheus.log"; return 1; }
  check "a real Prometheus scrapes it with a bearer token: up" is_up
  value() { ask query --data-urlencode "query=$1" | sed -nE 's/.*"value":\[[0-9.]+,"([^"]*)"\].*/\1/p'; }
  is() { local want=$1 got; got=$(value "$2"); [ "$got" = "$want" ] || { echo "$2 is '$got', not '$want'"; return 1; }; }
  check "and reads what the daemon counted" is 3 'vitrace_beacons_received_total'
  check "also by reason" is 0 'vitrace_beacons_rejected_total{reason="origin"}'
  check "also the histogram" is 3 'vitrace_ingest_seconds_count + on () vitrace_beacons_deduplicated_total'
  as_many() { is "$(grep -vc '^#' "$work/metrics")" 'scrape_samples_scraped'; }
  check "every line of it is a sample" as_many
  quiet() { local said; said=$(ask alerts); grep -q '"alerts":\[\]' <<<"$said" || { echo "$said"; return 1; }; }
  check "no alert is up on a daemon that is well" quiet
  rules_are_good() { ask rules | grep -q '"health":"ok"' && ! ask rules | grep -q '"health":"err"'; }
  check "every rule can be evaluated" rules_are_good
  panels() { # each question of the dashboard, as Grafana would fill it in
    node -e 'const { panels } = JSON.parse(require("fs").readFileSync(process.argv[1])); for (const { targets } of panels) for (const { expr } of targets)
      console.log(expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"))' "$packaging/grafana.json" >"$work/questions"
    [ "$(wc -l <"$work/questions")" -ge 10 ] || return 1
    while read -r question; do ask query --data-urlencode "query=$question" | grep -q '"status":"success"' || { echo "$question"; return 1; }; done <"$work/questions"
  }
  check "every question of the dashboard is one that Prometheus understands" panels
  check "without a word of complaint" test ! -s "$work/prometheus.log"
  printf wrong >"$work/vitrace-token"
  is_down() { for _ in $(seq 100); do ask targets | grep -q '"health":"down"' && ask targets | grep -q 401 && return 0; sleep 0.1; done; ask targets; return 1; }
  check "with a wrong token it is told 401" is_down
  kill "$scraper"; wait "$scraper" 2>/dev/null; scraper=""
else
  echo "prometheus is not installed (Debian: prometheus): nothing was scraped"
fi
kill "$daemon"; wait "$daemon"; ended=$?; daemon=""
check "it ends cleanly" test "$ended" = 0
check "every line that it said is JSON" node tests/support/log_lines.mjs "$work/log"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
