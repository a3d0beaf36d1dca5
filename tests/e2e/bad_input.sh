#!/usr/bin/env bash
# Bad input against a sanitizer build of the daemon: each gets a clear answer, is counted, and the daemon stays up.
set -uo pipefail
cd "$(dirname "$0")/../.."
cmake --build --preset asan --target vitrace -j "$(nproc)" >/dev/null || { echo "0 passed, 1 failed"; exit 1; }
binary=$(find build/asan -name vitrace -type f -perm -u+x | head -n 1)
work=$(mktemp -d); passed=0; failed=0
cat >"$work/vitrace.yaml" <<'YAML'
apps:
  - name: shop
    origins: ["https://shop.example"]
YAML
"$binary" serve --config "$work/vitrace.yaml" --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 \
  2>"$work/log" & daemon=$!
trap 'kill "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -e "$work/data/addresses.json" ] && break; sleep 0.1; done
url() { sed -nE "s/.*\"$1\" *: *\"([^\"]+)\".*/\1/p" "$work/data/addresses.json"; }
listen=$(url listen) admin=$(url admin) otlp=$(url otlp_http)
[ -n "$listen" ] || { cat "$work/log"; echo "0 passed, 1 failed"; exit 1; }

metric() { curl -s -m 5 "$admin/metrics" | awk -v name="$1" '$1 == name { print $2; found = 1 } END { if (!found) print "absent" }'; }
# expect SENTENCE STATUS CODE METRIC curl-arguments...: the status, the error code in the body, and the counter moved
expect() {
  local sentence=$1 status=$2 code=$3 counter=$4 before after got; shift 4
  before=$(metric "$counter")
  got=$(curl -s -m 10 -o "$work/answer" -w '%{http_code}' "$@")
  after=$(metric "$counter")
  if [ "$got" = "$status" ] && { [ -z "$code" ] || grep -q "\"$code\"" "$work/answer"; } && [ "$after" != absent ] && [ "$after" -gt "$before" ]; then
    echo "ok   $sentence: $status $(head -c 160 "$work/answer")"; passed=$((passed + 1))
  else
    echo "FAIL $sentence: got $got (want $status), $counter $before -> $after, $(head -c 300 "$work/answer")"; failed=$((failed + 1))
  fi
}
rejected() { echo "vitrace_beacons_rejected_total{reason=\"$1\"}"; }
bad() { echo "vitrace_http_bad_requests_total{reason=\"$1\"}"; }

node tests/e2e/beacon_sample.mjs shop >"$work/good"
node tests/e2e/beacon_sample.mjs nosuchapp >"$work/unknown"
head -c 40 "$work/good" >"$work/truncated"
head -c 400 /dev/urandom >"$work/garbage"
head -c 16385 /dev/zero >"$work/large"
head -c 100000 /dev/zero >"$work/huge"
post=(-X POST -H 'Content-Type: text/plain' -H 'Origin: https://shop.example')
expect "a good beacon" 204 "" vitrace_beacons_acked_total "${post[@]}" --data-binary "@$work/good" "$listen/v1/beacon"
expect "the same again" 204 "" vitrace_beacons_deduplicated_total "${post[@]}" --data-binary "@$work/good" "$listen/v1/beacon"
expect "garbage" 400 "" vitrace_beacons_received_total "${post[@]}" --data-binary "@$work/garbage" "$listen/v1/beacon"
expect "truncated" 400 truncated "$(rejected truncated)" "${post[@]}" --data-binary "@$work/truncated" "$listen/v1/beacon"
expect "empty" 400 empty "$(rejected empty)" "${post[@]}" --data-binary "" "$listen/v1/beacon"
expect "one byte over a beacon" 413 too_large "$(rejected too_large)" "${post[@]}" --data-binary "@$work/large" "$listen/v1/beacon"
expect "oversized" 413 "" "$(bad body_too_large)" "${post[@]}" --data-binary "@$work/huge" "$listen/v1/beacon"
expect "an unknown app" 403 unknown_app "$(rejected unknown_app)" "${post[@]}" --data-binary "@$work/unknown" "$listen/v1/beacon"
gzip -c "$work/good" >"$work/good.gz"
head -c 60 "$work/good.gz" >"$work/cut.gz"
head -c 2000000 /dev/zero | gzip -9 >"$work/bomb.gz"
printf 'VTRI\003' >"$work/version.raw"; head -c 60 /dev/zero >>"$work/version.raw"
printf 'VTRI\002' >"$work/cut.raw"
{ printf 'VTRI\002\000\000\000\007\000\000\000'; head -c 16 /dev/zero; printf 'an id of 16 byte'; printf '\001\000\000\000\000\000\000\000'; head -c 8 /dev/zero; } >"$work/unknown.raw"
head -c 60001 /dev/zero | sed 's/^\(.....\)/VTRI\x02/' >"$work/large.raw"
expect "gzip, by its first bytes" 204 "" vitrace_beacons_deduplicated_total "${post[@]}" --data-binary "@$work/good.gz" "$listen/v1/beacon"
expect "gzip, by its header" 204 "" vitrace_beacons_deduplicated_total "${post[@]}" -H 'Content-Encoding: gzip' --data-binary "@$work/good.gz" "$listen/v1/beacon"
expect "a header that the bytes do not bear out" 400 encoding_mismatch "$(rejected encoding)" "${post[@]}" -H 'Content-Encoding: gzip' --data-binary "@$work/good" "$listen/v1/beacon"
expect "an encoding that is not read" 415 encoding "$(rejected encoding)" "${post[@]}" -H 'Content-Encoding: br' --data-binary "@$work/good" "$listen/v1/beacon"
expect "gzip cut short" 400 compressed "$(rejected compressed)" "${post[@]}" --data-binary "@$work/cut.gz" "$listen/v1/beacon"
expect "a beacon that is a bomb" 413 too_large "$(rejected too_large)" "${post[@]}" --data-binary "@$work/bomb.gz" "$listen/v1/beacon"
expect "a raw inbox of another version" 400 bad_version "$(rejected bad_version)" "${post[@]}" --data-binary "@$work/version.raw" "$listen/v1/beacon"
expect "a raw inbox cut short" 400 truncated "$(rejected truncated)" "${post[@]}" --data-binary "@$work/cut.raw" "$listen/v1/beacon"
expect "a raw inbox of a document that nobody began" 409 unknown_document "$(rejected unknown_document)" "${post[@]}" --data-binary "@$work/unknown.raw" "$listen/v1/beacon"
expect "a raw inbox over its size" 413 too_large "$(rejected too_large)" "${post[@]}" --data-binary "@$work/large.raw" "$listen/v1/beacon"
expect "a foreign origin" 403 "" "$(rejected origin)" -X POST -H 'Origin: https://shop.example.evil.io' --data-binary "@$work/good" -H 'Content-Type: text/plain' "$listen/v1/beacon"
expect "a media type that is not ours" 415 "" "$(rejected media_type)" -X POST -H 'Content-Type: image/png' -H 'Origin: https://shop.example' --data-binary "@$work/good" "$listen/v1/beacon"
expect "a wrong method" 405 "" "$(bad method)" -X PUT "$listen/v1/beacon"
expect "a path that is not there" 404 "" "$(bad not_found)" "$listen/v1/nothing"
expect "headers without end" 431 "" "$(bad headers_too_large)" -H "X-Long: $(head -c 20000 /dev/zero | tr '\0' a)" "$listen/healthz"
expect "garbage spans" 400 "" 'vitrace_spans_requests_rejected_total{reason="malformed"}' -X POST -H 'Content-Type: application/x-protobuf' --data-binary "@$work/garbage" "$otlp/v1/traces"
gzip -c /dev/null >/dev/null; head -c 20000000 /dev/zero | gzip -9 >"$work/bomb"
expect "a zip bomb" 413 "" 'vitrace_spans_requests_rejected_total{reason="too_large"}' -X POST -H 'Content-Type: application/x-protobuf' -H 'Content-Encoding: gzip' --data-binary "@$work/bomb" "$otlp/v1/traces"
expect "something that is not HTTP" 000 "" "$(bad parse)" --http0.9 telnet://"${listen#http://}" -T "$work/garbage"
if kill -0 "$daemon" && [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$admin/healthz")" = 200 ]; then
  echo "ok   the daemon is still up"; passed=$((passed + 1))
else
  echo "FAIL the daemon is gone"; cat "$work/log"; failed=$((failed + 1))
fi
kill -TERM "$daemon"; wait "$daemon"; status=$?
if [ "$status" = 0 ] && ! grep -qE 'ERROR: (Address|Leak)Sanitizer|runtime error' "$work/log"; then
  echo "ok   it ends cleanly on SIGTERM, with nothing from the sanitizers"; passed=$((passed + 1))
else
  echo "FAIL exit status $status on SIGTERM"; tail -n 40 "$work/log"; failed=$((failed + 1))
fi
if node tests/support/log_lines.mjs "$work/log"; then
  echo "ok   every line that it said is JSON"; passed=$((passed + 1))
else
  echo "FAIL a line of its log is not JSON"; failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
