#!/usr/bin/env bash
# Every test: installs what is missing, builds, runs, closes with "N passed, N failed".
#   tests/run.sh [--only STEP[,STEP...]] [--long] [--list]
# Logs of the steps lie in build/logs/. --long adds the fuzzers (60 s a target) and long crash runs.
set -uo pipefail
cd "$(dirname "$0")/.."
only="" long=0
while [ $# -gt 0 ]; do
  case $1 in
    --only) only=",$2,"; shift 2 ;;
    --long) long=1; shift ;;
    --list) grep -oE '^step_[a-z_]+' "$0" | sed 's/^step_//'; exit 0 ;;
    *) echo "run.sh: unknown option '$1' (use --only STEP, --long, --list)" >&2; exit 2 ;;
  esac
done

logs=build/logs; mkdir -p "$logs"
passed=0 failed=0 skipped=() started=$SECONDS
jobs=$(nproc)

# Sums the closing lines of what a step ran: CMocka programs, node's test runner, and our own "N passed, N failed".
count() {
  sed -E 's/^[0-9]+: //' "$1" | awk '
    /\[  PASSED  \] [0-9]+ test/      { p += $4 }
    /\[  FAILED  \] [0-9]+ test/      { f += $4 }
    /^# pass [0-9]+$/                 { p += $3 }
    /^# fail [0-9]+$/                 { f += $3 }
    /^[0-9]+ inputs replayed$/        { p += 1 }
    /^[0-9]+ passed, [0-9]+ failed$/  { p += $1; f += $3 }
    END { print p + 0, f + 0 }'
}

run_step() {
  local name=$1 log=$logs/$1.log began=$SECONDS status counts
  [ -z "$only" ] || [[ $only == *,$name,* ]] || return 0
  printf '== %-12s ' "$name"
  "step_$name" >"$log" 2>&1; status=$?
  read -r -a counts < <(count "$log")
  # A step that failed without saying which test counts as one failure: a build error must not read as success.
  [ "$status" = 0 ] || [ "${counts[1]}" != 0 ] || counts[1]=1
  passed=$((passed + counts[0])); failed=$((failed + counts[1]))
  printf '%4d passed, %d failed  %4d s\n' "${counts[0]}" "${counts[1]}" $((SECONDS - began))
  [ "${counts[1]}" = 0 ] || { echo "-- the end of $log:"; tail -n 40 "$log"; }
}

build() { # preset [target ...]
  local preset=$1; shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" || return 1
  cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}
npm_ready() { # folder: npm ci when the lock changed since the last one
  local stamp=$1/node_modules/.package-lock.json
  [ -e "$stamp" ] && [ ! "$1/package-lock.json" -nt "$stamp" ] || npm ci --prefix "$1" --no-audit --no-fund
}

step_setup() { bash .ci/setup.sh core wasm wasi browser model; }
step_native() { build asan && ctest --preset asan -j "$jobs" --verbose; }
step_model() { node tests/model/ring.mjs; }
step_threads() { build tsan && ctest --preset tsan -j 1 --verbose -R 'ring_stress_test|stream_.*test|log_.*test|sinks_test|ingest_test|ingest_raw_test|raw_test|tally_test|rejects_test|diag_test|auth_test' -E 'log_(states|flip|fault)_test'; }
step_wasm() { build wasm && ctest --preset wasm -j "$jobs" --verbose; }
step_wasi() { build wasi && ctest --preset wasi --verbose; }
step_js() {
  npm_ready js-glue && npm --prefix js-glue run typecheck && npm --prefix js-glue run build &&
    npm_ready tests/js && npm_ready tests/conformance && node --test --test-reporter=tap tests/js/*.test.mjs
}
step_waysout() { npm_ready demo-site && npm_ready tests/js && node --test --test-reporter=tap tests/ways_out/*.test.mjs; }
step_tidy() { build dev abi_dump && node tests/tidy/tidy.mjs "$(find build/dev -name abi_dump -type f)"; }
step_e2e() { bash demo-site/run.sh --check; }
step_crash() { # long: the release bar
  local cycles=300; [ "$long" = 0 ] || cycles=10000
  build release vitrace crash_writer || return 1
  node tests/crash/syscall_kill.mjs build/release/tests/crash/crash_writer build/release/vitrace; local status=$?
  node tests/crash/kill_audit.mjs build/release/vitrace --cycles "$cycles" || status=1
  [ "$long" = 0 ] || node tests/crash/mutants.mjs || status=1
  return "$status"
}
step_faults() { # one call of the daemon fails, or one allocation; long: each of them
  local places=(--places 80) lives=(--lives 80)
  [ "$long" = 0 ] || { places=(--every); lives=(--every); }
  build asan vitrace vitrace_starved || return 1
  local status=0
  node tests/crash/memory_fail.mjs build/asan/tests/crash/vitrace_starved build/asan/vitrace "${places[@]}" || status=1
  node tests/crash/io_fail.mjs build/asan/vitrace "${lives[@]}" || status=1
  return "$status"
}
step_restart() { # about a minute; long: the release bar
  local restarts=12 status=0; [ "$long" = 0 ] || restarts=100
  build release vitrace restart_sockets && bash .ci/setup.sh restart || return 1
  local with_sockets=(build/release/tests/restart/restart_sockets listen otlp_http otlp_grpc -- timeout -k 10 900 node)
  "${with_sockets[@]}" tests/restart/restart.mjs build/release/vitrace --restarts "$restarts" || status=1
  "${with_sockets[@]}" tests/restart/restart.mjs build/release/vitrace --restarts 0 --reloads 100 || status=1
  timeout -k 10 120 node tests/restart/clock.mjs build/release/vitrace || status=1
  return "$status"
}
step_engines() { # two of each kind of page life; a bound, should a browser hang
  build release vitrace && npm_ready demo-site && bash .ci/setup.sh engines && timeout -k 10 240 node tests/engines/engines.mjs --n 2
}
step_hostile() { build release vitrace && npm_ready demo-site && node tests/hostile/hostile.mjs; }
step_lives() { # long: the release bar
  local more=(); [ "$long" = 0 ] || more=(--long)
  build release vitrace && npm_ready demo-site && node tests/lives/lives.mjs "${more[@]}"
}
step_stress() { npm_ready js-glue && npm_ready demo-site && node tests/stress/ring_stress.mjs; }
step_kill() { bash demo-site/run.sh --check --kill; }
step_badinput() { bash tests/e2e/bad_input.sh; }
step_border() { # what may knock at the daemon's doors, and what must come of it
  build asan vitrace && bash .ci/setup.sh border browser && npm_ready tests/conformance || return 1
  local part status=0
  for part in smuggling frames doors rejects dashboard openapi origins series ports; do
    timeout -k 10 120 node "tests/border/$part.mjs" build/asan/vitrace || status=1
  done
  return "$status"
}
step_overload() { # long: the release bar, 25 minutes
  local more=() bound=300; [ "$long" = 0 ] || { more=(--long); bound=3600; }
  build release vitrace overload_load overload_slow overload_audit || return 1
  timeout -k 10 "$bound" node tests/overload/overload.mjs build/release "${more[@]}"
}
step_grpc() { build asan vitrace && npm_ready demo-site && node tests/e2e/otlp_grpc.mjs build/asan/vitrace; }
step_tls() { # under the sanitizers, and under the sandbox, which sanitizer builds go without
  local preset status=0
  for preset in asan release; do
    build "$preset" vitrace && timeout -k 10 120 node tests/e2e/tls.mjs "build/$preset/vitrace" || status=1
  done
  npm_ready demo-site && timeout -k 10 120 node tests/e2e/http2_page.mjs build/release/vitrace || status=1
  return "$status"
}
step_raw() { build asan vitrace && node tests/e2e/raw_inbox.mjs build/asan/vitrace; }
step_metrics() { build asan vitrace && bash .ci/setup.sh metrics && bash tests/e2e/metrics.sh; }
step_operate() { # and once as released: only that build confines itself
  local status=0
  build asan vitrace && build release vitrace || return 1
  bash tests/e2e/operate.sh || status=1
  VITRACE=build/release/vitrace bash tests/e2e/operate.sh || status=1
  node tests/e2e/log_verbs.mjs build/asan/vitrace || status=1
  return "$status"
}
step_fuzz() {
  build fuzz || return 1
  local target status=0
  for target in build/fuzz/tests/fuzz/*_fuzz; do
    local name=${target##*/} corpus
    corpus=tests/fuzz/corpus/$(sed -nE "s/.*\\b$name\\b.*corpus\\}\\/([a-z_]+).*/\\1/p" tests/fuzz/CMakeLists.txt)
    mkdir -p "build/fuzz/found/$name"
    "$target" "build/fuzz/found/$name" "$corpus" -max_total_time=60 -rss_limit_mb=2048 -timeout=5 &&
      echo "1 passed, 0 failed" || { echo "0 passed, 1 failed"; status=1; }
  done
  return $status
}

# The build of the page's half comes first: the collector serves it, the end-to-end tests load it.
for step in setup native model wasm wasi js waysout tidy threads badinput border overload raw grpc tls operate metrics stress hostile engines lives e2e kill crash faults restart; do run_step "$step"; done
[ "$long" = 0 ] || run_step fuzz
printf '%d s in all\n' $((SECONDS - started))
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
