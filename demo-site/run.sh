#!/usr/bin/env bash
# The demo: builds Vitrace, starts the collector and the shop, prints the URLs and keeps running until Ctrl-C.
#   demo-site/run.sh [--data DIR] [--port N]
#   demo-site/run.sh --check          drives the shop in headless Chromium, prints what was joined, exits 0 only if all holds
#   demo-site/run.sh --check --kill   kills the collector while pages are sending, and looks for what it had acknowledged
# A check takes free ports and a folder of its own, so it never disturbs a demo that is running.
set -euo pipefail
cd "$(dirname "$0")/.."

check=0 kill_part=0 data=demo-site/data port=8080
while [ $# -gt 0 ]; do
  case $1 in
    --check) check=1; shift ;;
    --kill) check=1 kill_part=1; shift ;;
    --data) data=${2:?"--data needs a folder"}; shift 2 ;;
    --port) port=${2:?"--port needs a number"}; shift 2 ;;
    -h|--help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option '$1' (use --check, --kill, --data DIR, --port N)" >&2; exit 2 ;;
  esac
done

say() { printf '\033[1m%4d s\033[0m  %s\n' "$SECONDS" "$*" >&2; }

# ---- what was started, and its end ----------------------------------------------------------------------------------
names=() pids=() logs="" keep_data=1
start() { # name command...
  local name=$1; shift
  "$@" >"$logs/$name.log" 2>&1 9>&- &
  names+=("$name") pids+=($!)
}

end_all() {
  local status=$? pid
  trap '' INT TERM
  trap - EXIT
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  # Ten seconds to finish; whoever needs longer is ended.
  for _ in $(seq 100); do
    local alive=0
    for pid in "${pids[@]}"; do ! kill -0 "$pid" 2>/dev/null || alive=1; done
    [ $alive = 1 ] || break
    sleep 0.1
  done
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  if [ $keep_data = 0 ] && [ $status = 0 ]; then rm -rf "$data"; fi
  [ $keep_data = 1 ] || [ $status = 0 ] || say "data and logs of the failed check are in $data"
  exit "$status"
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ready() { # name url
  for _ in $(seq 300); do
    curl -fs -o /dev/null --max-time 2 "$2" && return 0
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  say "$1 did not start; the end of its log:"
  tail -n 20 "$logs/$1.log" >&2
  exit 1
}

# ---- build ----------------------------------------------------------------------------------------------------------
npm_ready() { # folder: npm ci when the lock changed since the last one
  local stamp=$1/node_modules/.package-lock.json
  [ -e "$stamp" ] && [ ! "$1/package-lock.json" -nt "$stamp" ] || npm ci --prefix "$1" --no-audit --no-fund >&2
}

build() { # preset target...
  local preset=$1; shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >&2
  cmake --build --preset "$preset" --target "$@" >&2
}

# True when an input is younger than the result.
outdated() { # result input...
  local result=$1; shift
  [ -e "$result" ] || return 0
  [ -n "$(find "$@" -newer "$result" -not -path '*/node_modules/*' -type f -print -quit)" ]
}

say "packages"
groups=(core wasm)
[ $check = 0 ] || groups+=(browser)
bash .ci/setup.sh "${groups[@]}"
command -v curl >/dev/null || { say "curl is missing: apt-get install curl"; exit 1; }

say "collector"
build release vitrace
collector=build/release/vitrace
say "WebAssembly core"
build wasm vitrace_wasm
say "SDK"
if outdated js-glue/dist/vitrace.js js-glue/src js-glue/build.mjs js-glue/package-lock.json build/wasm/vitrace.wasm; then
  npm_ready js-glue
  npm --prefix js-glue run build >&2
fi
say "shop"
npm_ready demo-site
if [ $check = 0 ]; then
  say "lab"
  npm_ready demo-site/lab
  if outdated demo-site/lab/dist/sizes.json demo-site/lab/subjects demo-site/lab/build.mjs demo-site/lab/package-lock.json js-glue/dist; then
    npm --prefix demo-site/lab run build >&2
  fi
fi

# ---- start ----------------------------------------------------------------------------------------------------------
if [ $check = 1 ]; then
  keep_data=0
  data=$(mktemp -d "${TMPDIR:-/tmp}/vitrace-check.XXXXXX")
  read -r -a free < <(node demo-site/check/free_ports.mjs 8)
else
  free=("$port" $((port + 1)) $((port + 10)) 4319 4318 4320 0 0)
fi
shop=http://127.0.0.1:${free[0]} isolated=http://127.0.0.1:${free[1]} catalog=http://127.0.0.1:${free[2]}
beacons=http://127.0.0.1:${free[3]} otlp=http://127.0.0.1:${free[4]} admin=http://127.0.0.1:${free[5]}
logs=$data/logs
mkdir -p "$logs"
exec 9>"$data/.lock"
flock -n 9 || { say "another demo is using $data (use --data)"; exit 1; }

serve=("$collector" serve --data "$data/collector" --sdk js-glue/dist --listen "127.0.0.1:${free[3]}"
       --otlp-http "127.0.0.1:${free[4]}" --otlp-grpc 127.0.0.1:0 --admin "127.0.0.1:${free[5]}")

start_shop() { # the addresses under which pages and backend know the collector
  start catalog env OTEL_SERVICE_NAME=catalog OTEL_EXPORTER_OTLP_ENDPOINT="$2" CATALOG_PORT="${free[2]}" \
    CATALOG_DATABASE="$data/shop.sqlite" node --import ./demo-site/shop/telemetry.mjs demo-site/shop/catalog/main.mjs
  ready catalog "$catalog/_ready"
  start web env OTEL_SERVICE_NAME=web OTEL_EXPORTER_OTLP_ENDPOINT="$2" VITRACE_COLLECTOR="$1" CATALOG_URL="$catalog" \
    SHOP_PORT="${free[0]}" SHOP_ISOLATED_PORT="${free[1]}" node --import ./demo-site/shop/telemetry.mjs demo-site/shop/web/main.mjs
  ready web "$shop/_ready"
}

if [ $kill_part = 1 ]; then
  say "starting the shop; the check starts and kills the collector itself"
  start_shop "http://127.0.0.1:${free[6]}" "http://127.0.0.1:${free[7]}"
  node demo-site/check/check_kill.mjs --shop "$shop" --api "$admin" --beacons "$beacons" --beacons-witness "${free[6]}" \
    --otlp "$otlp" --otlp-witness "${free[7]}" -- "${serve[@]}"
  exit
fi

say "starting collector and shop"
start collector "${serve[@]}"
ready collector "$admin/readyz"
start_shop "$beacons" "$otlp"

if [ $check = 1 ]; then
  say "driving the shop in Chromium"
  node demo-site/check/check.mjs --plain "$shop" --isolated "$isolated" --api "$admin"
  exit
fi

lab=http://127.0.0.1:$((port + 2))
start lab env LAB_PORT=$((port + 2)) node demo-site/lab/server.mjs
ready lab "$lab/lab"

say "ready"
cat <<TEXT

  shop              $shop/
  shop, isolated    $isolated/
  overhead lab      $lab/lab
  dashboard         $admin/

  Data and logs: $data. Ctrl-C ends all of it.

TEXT
# The first of them that ends is the end of the demo; Ctrl-C comes through the trap.
wait -n "${pids[@]}" || true
for index in "${!pids[@]}"; do
  kill -0 "${pids[$index]}" 2>/dev/null || { say "${names[$index]} ended; its last words:"; tail -n 5 "$logs/${names[$index]}.log" >&2; }
done
exit 1
