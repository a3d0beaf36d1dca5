#!/usr/bin/env bash
# Operating the daemon: admin tokens, reload, what the sandbox says. VITRACE may name the program.
set -uo pipefail
cd "$(dirname "$0")/../.."
binary=${VITRACE:-build/asan/vitrace}
[ -x "$binary" ] || { cmake --build --preset asan --target vitrace -j "$(nproc)" >/dev/null || { echo "0 passed, 1 failed"; exit 1; }; }
work=$(mktemp -d) passed=0 failed=0 daemon="" backend=""
trap 'for pid in $daemon $backend; do kill "$pid" 2>/dev/null; done; wait 2>/dev/null; rm -rf "$work"' EXIT
check() { # SENTENCE command...
  local sentence=$1; shift
  if "$@" >"$work/out" 2>&1; then echo "ok   $sentence"; passed=$((passed + 1))
  else echo "FAIL $sentence: $*"; cat "$work/out"; tail -n 5 "$work/log"; failed=$((failed + 1)); fi
}
status() { curl -s -m 5 -o /dev/null -w '%{http_code}' "$@"; }
is() { local want=$1 got; shift; got=$("$@"); [ "$got" = "$want" ] || { echo "got '$got', want '$want'"; return 1; }; }
said() { grep -q "$1" "$work/log"; }
# reload EVENT: sends SIGHUP and waits until the daemon has answered it with one more line of EVENT
reload() {
  local before; before=$(grep -c "\"event\":\"$1\"" "$work/log")
  kill -HUP "$daemon"
  for _ in $(seq 100); do [ "$(grep -c "\"event\":\"$1\"" "$work/log")" -gt "$before" ] && return 0; sleep 0.05; done
  return 1
}
: >"$work/log"

refuses() { ! "$binary" serve --data "$work/never" --listen 127.0.0.1:0 --otlp-http 127.0.0.1:0 "$@" 2>"$work/refusal"; }
check "beyond loopback it does not start without tokens" refuses --admin :0
check "and says what to do" grep -q "vitrace token new" "$work/refusal"
check "nor has it made a folder" test ! -e "$work/never"
check "a setting of another value is refused" refuses --admin 127.0.0.1:0 --sandbox maybe
check "a user that is not there is refused" refuses --admin 127.0.0.1:0 --user no-such-user

"$binary" token new >"$work/token"
token=$(sed -nE 's/^token: //p' "$work/token")
config() { printf '%s\n' "$@" >"$work/vitrace.yaml"; }
config "apps:" "  - name: shop"
check "--check says where a setting is from" grep -q '^admin: :0  # flag$' <("$binary" serve --check --admin :0 \
  --config <(sed -n 2p "$work/token") --listen 127.0.0.1:0 --otlp-http 127.0.0.1:0 --otlp-grpc '')

bench() { "$binary" bench "$@" >"$work/bench" 2>&1; }
ordered() { awk '/ms/ { lines++; if ($4 + 0 > $7 + 0 || $7 + 0 > $10 + 0 || $4 + 0 <= 0) bad++ } END { exit lines != 3 || bad > 0 }' "$work/bench"; }
mkdir "$work/disk"
check "bench measures the disk" bench fsync --data "$work/disk"
check "three sizes, the slowest last" ordered
check "and leaves nothing there" is "" ls -A "$work/disk"
bench fsync --data "$work/none"; check "a folder that is not there is said, with status 1" is 1 echo $?
bench nothing; check "and what it does not know, with status 2" is 2 echo $?

mkdir "$work/sdk"; for name in vitrace.js vitrace.mjs vitrace-worker.js vitrace.wasm; do echo x >"$work/sdk/$name"; done
"$binary" serve --config "$work/vitrace.yaml" --data "$work/data" --sdk "$work/sdk" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 \
  2>"$work/log" & daemon=$!
for _ in $(seq 100); do [ -e "$work/data/addresses.json" ] && break; sleep 0.1; done
url() { sed -nE "s/.*\"$1\" *: *\"([^\"]+)\".*/\1/p" "$work/data/addresses.json"; }
listen=$(url listen) admin=$(url admin)
node tests/e2e/beacon_sample.mjs blog >"$work/blog"
post=(-X POST -H 'Content-Type: text/plain' --data-binary "@$work/blog" "$listen/v1/beacon")

check "it says whether it is confined" said '"event":"sandbox"'
check "no token is needed on loopback" is 200 status "$admin/metrics"
check "but a foreign Host is refused" is 421 status -H 'Host: evil.example' "$admin/api/v1/apps"
check "an app that is not configured is refused" is 403 status "${post[@]}"

# A backend that tells its trace, and whose span is here already.
node -e 'require("http").createServer((q, r) => r.setHeader("Server-Timing", "traceparent;desc=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").end())
  .listen(0, "127.0.0.1", function () { console.log(this.address().port); })' >"$work/port" & backend=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
span='{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"GET","kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}'
check "a span is taken" is 200 status -X POST -H 'Content-Type: application/json' -d "$span" "$(url otlp_http)/v1/traces"
backend_is() { # ORIGIN TEXT
  local out; out=$("$binary" doctor --endpoint "$listen" --admin "$admin" --origin "$1" --backend "http://127.0.0.1:$(cat "$work/port")/p")
  grep -qF -- "$2" <<<"$out" || { echo "$out"; return 1; }
}
check "the doctor finds a backend's trace in the collector" backend_is "http://127.0.0.1:$(cat "$work/port")" "ok   the collector knows that trace"
check "and says what another origin needs to see it" backend_is https://shop.example "Add Timing-Allow-Origin"

config "apps:" "  - name: shop" "  - name: blog" "$(sed -n 2p "$work/token")"
check "SIGHUP reads the file again" reload reloaded
check "the new app is taken" is 204 status "${post[@]}"
check "the token is asked for" is 401 status "$admin/metrics"
check "and lets in" is 200 status -H "Authorization: Bearer $token" "$admin/metrics"
check "a wrong one does not" is 401 status -H "Authorization: Bearer ${token}x" "$admin/api/v1/apps"
check "health stays open" is 200 status "$admin/healthz"
check "readiness too" is 200 status "$admin/readyz"
check "and the dashboard's own files" is 200 status "$admin/"

config "apps:" "  - name: shop" "    origins: [https://shop.example]" "$(sed -n 2p "$work/token")"
check "a reload with an origin" reload reloaded
doctor() { "$binary" doctor --endpoint "$listen" --origin "$1"; }
check "the doctor finds nothing wrong for it" doctor https://shop.example
ill() { local said; said=$(doctor "$1") && return 1; grep -q -- "$2" <<<"$said" || { echo "$said"; return 1; }; }
check "and says how to let another one in" ill https://other.example "Add the origin to an app"
check "nothing was stored by it" is 0 awk '$1 == "vitrace_log_records_total" { print $2 - 2 }' \
  <(curl -s -H "Authorization: Bearer $token" "$admin/metrics")
config "apps:" "  - name: shop" "  - name: blog" "$(sed -n 2p "$work/token")"
check "a reload back" reload reloaded
listen_was=$listen listen=http://127.0.0.1:1
check "it says when nobody answers" ill https://shop.example "Is the collector running"
listen=$listen_was

config "apps:" "  - name: shop" "    orgins: []"
check "a mistake is told" reload reload_failed
check "with its line" said 'vitrace.yaml:3: unknown or repeated key .orgins.'
check "and all stays as it was" is 401 status "$admin/metrics"

config "apps:" "  - name: shop" "retention_days: 7" "$(sed -n 2p "$work/token")"
check "a reload with a setting of the start" reload reloaded
check "says that this one needs a restart" said '"restart_needed","message":"retention_days:'
check "and applies the rest" is 403 status "${post[@]}"

# Signed tokens: the key is read again by a reload, and a key that cannot be used changes nothing.
for key in first second; do
  openssl genrsa -out "$work/$key.pem" 2048 2>/dev/null && openssl pkey -in "$work/$key.pem" -pubout -out "$work/$key.pub"
done
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
jwt() { # KEY
  local text; text=$(printf '{"alg":"RS256"}' | base64url).$(printf '{"aud":"vitrace","exp":%d}' $(($(date +%s) + 600)) | base64url)
  printf '%s.%s' "$text" "$(printf %s "$text" | openssl dgst -sha256 -sign "$work/$1.pem" | base64url)"
}
signed() { status -H "Authorization: Bearer $(jwt "$1")" "$admin/metrics"; }
config "$(sed -n 2p "$work/token")" "admin_jwt:" "  key_file: $work/jwt.pub" "  audience: vitrace"
check "a reload without its key file is told" reload reload_failed
check "with the file's name" said "admin_jwt: $work/jwt.pub: No such file"
check "and no JWT is taken" is 401 signed first
checks() { "$binary" serve --check --config "$work/vitrace.yaml" --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --otlp-http 127.0.0.1:0 --otlp-grpc '' 2>&1; }
check "--check judges the key, too" grep -q "admin_jwt: $work/jwt.pub: No such file" <(checks)
cp "$work/first.pub" "$work/jwt.pub"
check "and tells what it will take" grep -q "^admin_jwt: RS256, key of $work/jwt.pub, audience vitrace$" <(checks)
check "a reload with a key" reload reloaded
check "lets its tokens in" is 200 signed first
check "and no others" is 401 signed second
check "beside the bearer tokens" is 200 status -H "Authorization: Bearer $token" "$admin/metrics"
mv "$work/second.pub" "$work/jwt.pub"
check "the key is the one that was read" is 200 signed first
check "until the next reload" reload reloaded
check "then the new one counts" is 200 signed second
check "and the old one no longer" is 401 signed first
echo nonsense >"$work/jwt.pub"
check "a key that is none is told" reload reload_failed
check "and the last one stays" is 200 signed second

# Whatever stands in the file, what is said about it is one line of JSON.
odd() { printf "$@" >"$work/vitrace.yaml"; reload reload_failed; }
check "a key of control characters is told" odd '"a\\x1b[31m\\n{\\x7f\\u0085\\u2028": x\n'
check "bytes that are no UTF-8 are told" odd 'data: \xff\xc0\xaf\xed\xa0\x80\n'
check "an app with quotes and line ends is told" odd 'apps:\n  - name: "a\\"},{\\r\\n"\n'
check "a long key is told" odd '%%0*d: x\n' 5000 0
config "apps:" "  - name: shop" "$(sed -n 2p "$work/token")" "admin_jwt:" "  key_file: $work/first.pub" "  audience: vitrace"
check "a file without mistakes is taken again" reload reloaded

reload_often() { local i; for i in $(seq 50); do kill -HUP "$daemon"; status "${post[@]}" >/dev/null; done; }
check "many reloads under way" reload_often
kill -TERM "$daemon"; wait "$daemon"; ended=$?; daemon=""
check "it ends cleanly" test "$ended" = 0
check "with nothing from the sanitizers" sh -c "! grep -qE 'ERROR: (Address|Leak)Sanitizer|runtime error|WARNING: ThreadSanitizer' '$work/log'"

check "and every line that it said is JSON" node tests/support/log_lines.mjs "$work/log"

# The doctor, where the collector speaks TLS itself: as strict as a browser, and it says which of the two is wrong.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/tls.key" -out "$work/tls.pem" -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>"$work/out"
config "apps:" "  - name: shop" "    origins: [https://shop.example]"
"$binary" serve --config "$work/vitrace.yaml" --data "$work/data-tls" --sdk "$work/sdk" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --otlp-http 127.0.0.1:0 \
  --otlp-grpc '' --tls-certificate "$work/tls.pem" --tls-key "$work/tls.key" 2>"$work/log-tls" & daemon=$!
for _ in $(seq 100); do [ -e "$work/data-tls/addresses.json" ] && break; sleep 0.1; done
listen=$(sed -nE 's/.*"listen" *: *"([^"]+)".*/\1/p' "$work/data-tls/addresses.json")
check "it refuses a certificate that browsers would refuse" ill https://shop.example "certificate is refused, as a browser would: self-signed certificate"
SSL_CERT_FILE=$work/tls.pem check "and takes one of an authority that is known" doctor https://shop.example
listen=http://${listen#https://}
check "to plain HTTP it says that TLS is spoken there" ill https://shop.example "may speak TLS only"
kill -TERM "$daemon"; wait "$daemon"; ended=$?; daemon=""
check "and that daemon ends cleanly" test "$ended" = 0
check "its log is JSON, too" node tests/support/log_lines.mjs "$work/log-tls"

# The socket is opened by somebody else, and outlives the daemon: clients wait while it starts.
if command -v systemd-socket-activate >/dev/null; then
  for _ in 1 2 3 4 5; do # below the range that the system gives out; one may be taken all the same
    port=$((10000 + RANDOM % 20000))
    systemd-socket-activate -l "127.0.0.1:$port" --fdname=listen "$binary" serve --data "$work/data" --sdk "$work/sdk" \
      --listen 127.0.0.1:1 --admin 127.0.0.1:0 --otlp-http 127.0.0.1:0 --otlp-grpc '' 2>>"$work/log" & daemon=$!
    sleep 0.3
    kill -0 "$daemon" 2>/dev/null && break
  done
  check "an inherited socket is served, and a client that came early is answered" is 200 status "http://127.0.0.1:$port/healthz"
  kill -TERM "$daemon"; wait "$daemon"; ended=$?; daemon=""
  check "and left in order" test "$ended" = 0
else
  echo "systemd-socket-activate is not installed: no inherited socket was tried"
fi
unit=collector/packaging/vitrace.service
if command -v systemd-analyze >/dev/null && exposure=$(systemd-analyze security --offline=true --no-pager "$unit" 2>/dev/null | sed -nE 's/.*level for .*: ([0-9.]+) .*/\1/p') && [ -n "$exposure" ]; then
  check "the unit's exposure, $exposure, is at most 1.5" awk -v is="$exposure" 'BEGIN { exit !(is <= 1.5) }'
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
