// The retry policy, and the sender that follows it, on a clock that the test moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { load } from "./support/bundle.mjs";

const { ATTEMPTS_MAX, Verdict, deliver, InFlight, beaconRequest, pack, retryAfterMs, retryDelayMs, verdictOf } = await load("worker/retry", "worker/transport", "worker/in_flight", "worker/pack");
const body = new Uint8Array([1, 2, 3]);

/** A collector that answers what the list says (a status, "down", or [status, retry-after]) and a clock that only sleep moves. */
function host(answers) {
  const self = { now: 0, slept: [], posts: [] };
  return Object.assign(self, {
    inFlight: new InFlight(),
    fetch: async (url, init) => {
      self.posts.push({ url, init });
      const answer = answers.shift() ?? 204;
      if (answer === "down") throw new TypeError("Failed to fetch");
      const [status, retryAfter = null] = [answer].flat();
      return { status, headers: { get: (name) => (name === "retry-after" ? retryAfter : null) } };
    },
    sleep: async (ms) => { self.now += ms; self.slept.push(ms); },
    random: () => 0.5,
    nowMs: () => self.now,
  });
}

test("204 is acked, bad beacons are refused, the rest is tried again", () => {
  assert.deepEqual([204, 200].map(verdictOf), [Verdict.ACKED, Verdict.ACKED]);
  assert.deepEqual([400, 403, 404, 413, 415].map(verdictOf), Array(5).fill(Verdict.REFUSED));
  assert.deepEqual([0, 408, 429, 500, 502, 503, 504].map(verdictOf), Array(7).fill(Verdict.RETRY));
});

test("the first answer 204 sends once and sleeps never", async () => {
  const h = host([204]);
  assert.deepEqual(await deliver(h, "u", body), { sent: true, retries: 0 });
  assert.deepEqual([h.posts.length, h.slept], [1, []]);
});

for (const status of [400, 403, 413]) {
  test(`${status} is given up at once`, async () => {
    const h = host([status]);
    assert.deepEqual(await deliver(h, "u", body), { sent: false, retries: 0, refused: status });
    assert.equal(h.posts.length, 1);
  });
}

test("a network error and a 503 are tried again with growing pauses, the same bytes", async () => {
  const h = host(["down", 503, 204]);
  assert.deepEqual(await deliver(h, "u", body), { sent: true, retries: 2 });
  assert.deepEqual(h.slept, [2250, 6750]);
  assert.ok(h.posts.every(({ init }) => init.body === body));
});

test("five attempts over about two minutes, then it is given up", async () => {
  const h = host(Array(9).fill(503));
  assert.deepEqual(await deliver(h, "u", body), { sent: false, retries: ATTEMPTS_MAX - 1 });
  assert.equal(h.posts.length, 5);
  assert.ok(h.now > 60_000 && h.now < 150_000, `${h.now} ms`);
});

test("Retry-After is never undercut, and bounded", async () => {
  const h = host([[429, "30"], [503, "86400"], 204]);
  await deliver(h, "u", body);
  assert.deepEqual(h.slept, [30_000, 120_000]);
});

test("Retry-After may be a date; nonsense and the past are no wish", () => {
  assert.equal(retryAfterMs("Thu, 01 Jan 1970 00:00:09 GMT", 4000), 5000);
  assert.deepEqual([null, "", "soon", "-3", "Thu, 01 Jan 1970 00:00:01 GMT"].map((h) => retryAfterMs(h, 4000)), [0, 0, 0, 0, 0]);
});

test("jitter stays between half and the whole of the backoff", () => {
  assert.equal(retryDelayMs(1, 0, () => 0), 3000);
  assert.equal(retryDelayMs(1, 0, () => 1), 1500);
  assert.equal(retryDelayMs(5, 0, () => 0), -1);
});

test("a beacon needs no preflight and no credentials", () => {
  const { headers, mode, credentials, method, keepalive } = beaconRequest(body, true);
  assert.deepEqual({ headers, mode, credentials, method, keepalive },
    { headers: { "content-type": "text/plain" }, mode: "cors", credentials: "omit", method: "POST", keepalive: true });
});

test("only small beacons are keepalive, and only while there is room in flight", async () => {
  const h = host([]);
  await deliver(h, "u", body);
  await deliver(h, "u", new Uint8Array(16_000));
  h.inFlight.take(59_998);
  await deliver(h, "u", body);
  assert.deepEqual(h.posts.map(({ init }) => init.keepalive), [true, false, false]);
});

test("in flight are at most 60,000 bytes and 9 requests, and what has ended makes room", () => {
  const bytes = new InFlight();
  assert.deepEqual([bytes.take(60_000), bytes.take(1)], [true, false]);
  bytes.give(60_000);
  assert.equal(bytes.take(1), true);
  const requests = new InFlight();
  assert.deepEqual(Array.from({ length: 10 }, () => requests.take(1)).indexOf(false), 9);
  requests.give(1);
  assert.equal(requests.take(1), true);
});

test("what could not be sent is kept where somebody keeps, and counts as sent then", async () => {
  const kept = [];
  const h = Object.assign(host(Array(9).fill(503)), { keep: async (beacon) => void kept.push(beacon) });
  assert.deepEqual(await deliver(h, "u", body), { sent: true, retries: ATTEMPTS_MAX - 1 });
  assert.deepEqual(kept, [body]);
});

test("a refused beacon is not kept, and one that cannot be kept is given up", async () => {
  const h = Object.assign(host([403, ...Array(9).fill("down")]), { keep: async () => { throw new Error("quota"); } });
  assert.deepEqual(await deliver(h, "u", body), { sent: false, retries: 0, refused: 403 });
  assert.deepEqual(await deliver(h, "u", body), { sent: false, retries: ATTEMPTS_MAX - 1 });
});

test("a browser that says it is offline is not asked five times when the beacon can be kept", async (t) => {
  const { navigator } = globalThis;
  Object.defineProperty(globalThis, "navigator", { value: { onLine: false }, configurable: true, writable: true });
  t.after(() => Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true }));
  const h = Object.assign(host(Array(9).fill("down")), { keep: async () => {} });
  assert.deepEqual(await deliver(h, "u", body), { sent: true, retries: 0 });
  assert.deepEqual([h.posts.length, h.slept], [1, []]);
});

test("a beacon is packed once, kept as it is, and sent as it is where packing does not pay", async () => {
  const large = new Uint8Array(5000).fill(7);
  const h = Object.assign(host([503, 204]), { pack });
  await deliver(h, "u", large);
  assert.equal(h.posts[0].init.body, h.posts[1].init.body);
  assert.deepEqual([...h.posts[0].init.body.subarray(0, 2)], [0x1f, 0x8b]);
  assert.deepEqual(new Uint8Array(gunzipSync(h.posts[0].init.body)), large);
  const random = crypto.getRandomValues(new Uint8Array(5000));
  assert.deepEqual([await pack(body), await pack(random)], [body, random]);
});
