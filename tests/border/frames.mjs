// What may smuggle a request over HTTP/2 (RFC 9113, 8 and 10.3), frame by frame to the collector: lengths that the body
// does not have, fields of HTTP/1.1's connections, line breaks in names and values, pseudo-headers that are not what they
// seem. A proxy that writes such a request as HTTP/1.1 makes two of it; here it is one stream, reset or refused, and the
// stream behind it on the same connection is answered as if nothing had been.
//
//   node tests/border/frames.mjs path/to/vitrace
import { Daemon, Tally } from "./daemon.mjs";
import { END_HEADERS, END_STREAM, FrameClient, block, frame } from "./streams.mjs";

const PROTOCOL_ERROR = 1;
const RESET = "reset"; // the stream alone, and no handler has seen it
const BODY = 400;      // what a beacon of the text "hello" is answered
const get = [[":method", "GET"], [":scheme", "http"], [":path", "/healthz"], [":authority", "localhost"]];
const post = [[":method", "POST"], [":scheme", "http"], [":path", "/v1/beacon"], [":authority", "localhost"], ["content-type", "text/plain"]];
const put = (name, value, fields = get) => fields.map((field) => (field[0] === name ? [name, value] : field));
const without = (name, fields = get) => fields.filter(([other]) => other !== name);
const hidden = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

const lengths = [ // H2.CL
  ["a length of none, and a body", [...post, ["content-length", "0"]], hidden, RESET],
  ["a length shorter than the body", [...post, ["content-length", "4"]], "hello", RESET],
  ["a length longer than the body", [...post, ["content-length", "6"]], "hello", RESET],
  ["a length and no body", [...post, ["content-length", "5"]], "", RESET],
  ["two lengths", [...post, ["content-length", "5"], ["content-length", "0"]], "hello", RESET],
  ["the same length twice", [...post, ["content-length", "5"], ["content-length", "5"]], "hello", RESET],
  ["a list of lengths", [...post, ["content-length", "5, 5"]], "hello", RESET],
  ["a length with a plus", [...post, ["content-length", "+5"]], "hello", RESET],
  ["a length in hex", [...post, ["content-length", "0x5"]], "hello", RESET],
  ["a length of no digits", [...post, ["content-length", ""]], "hello", RESET],
  ["a length of 2^64 and 5", [...post, ["content-length", "18446744073709551621"]], "hello", RESET],
  ["a length that is right", [...post, ["content-length", "5"]], "hello", BODY],
  ["no length", post, "hello", BODY],
  ["a body on GET", get, hidden, 413],
];
const connections = [ // H2.TE and its like
  ["a coding", [...post, ["transfer-encoding", "chunked"]], `0\r\n\r\n${hidden}`, RESET],
  ["a coding and a length", [...post, ["transfer-encoding", "chunked"], ["content-length", "5"]], "hello", RESET],
  ["a coding of blanks", [...post, ["transfer-encoding", " "]], "hello", RESET],
  ["Connection", [...get, ["connection", "keep-alive, transfer-encoding"]], "", RESET],
  ["Keep-Alive", [...get, ["keep-alive", "timeout=5"]], "", RESET],
  ["Proxy-Connection", [...get, ["proxy-connection", "keep-alive"]], "", RESET],
  ["Upgrade", [...get, ["upgrade", "websocket"]], "", RESET],
  ["TE other than trailers", [...get, ["te", "chunked"]], "", RESET],
  ["TE trailers", [...get, ["te", "trailers"]], "", 200],
];
const breaks = [
  ["a field in a value", [...get, ["x", `v\r\ntransfer-encoding: chunked`]], "", RESET],
  ["a request in a value", [...get, ["x", `v\r\n\r\n${hidden}`]], "", RESET],
  ["a line feed in a value", [...get, ["x", "v\nhost: evil"]], "", RESET],
  ["a carriage return in a value", [...get, ["x", "v\rhost: evil"]], "", RESET],
  ["a NUL in a value", [...get, ["x", "v\0w"]], "", RESET],
  ["blanks around a value", [...get, ["x", "\tv "]], "", RESET],
  ["a field in a name", [...get, ["x: v\r\nhost", "evil"]], "", RESET],
  ["a colon in a name", [...get, ["x:y", "v"]], "", RESET],
  ["a blank in a name", [...get, ["transfer-encoding ", "chunked"]], "", RESET],
  ["no name", [...get, ["", "v"]], "", RESET],
  ["a name in capitals", [...get, ["Host", "evil"]], "", RESET],
  ["a line break in the path", put(":path", "/healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /mark"), "", RESET],
  ["a blank in the path", put(":path", "/healthz HTTP/1.1"), "", RESET],
  ["a line break in the method", put(":method", "GET / HTTP/1.1\r\nX:"), "", RESET],
  ["a blank in the method", put(":method", "GET /"), "", RESET],
  ["a line break in the scheme", put(":scheme", "http\r\nx: y"), "", RESET],
  ["a URL as scheme", put(":scheme", "http://evil/x?"), "", RESET],
  ["a line break in the authority", put(":authority", "localhost\r\nx: y"), "", RESET],
  ["a path in the authority", put(":authority", "localhost/x"), "", RESET],
  ["a user in the authority", put(":authority", "x@localhost"), "", 400],
  ["two hosts in the authority", put(":authority", "localhost,evil"), "", 400],
];
const pseudo = [
  ["no method", without(":method"), "", RESET],
  ["no path", without(":path"), "", RESET],
  ["no scheme", without(":scheme"), "", RESET],
  ["no authority", without(":authority"), "", RESET],
  ["an empty path", put(":path", ""), "", RESET],
  ["a path without its slash", put(":path", "healthz"), "", RESET],
  ["a whole URL as path", put(":path", "http://evil/healthz"), "", RESET],
  ["* as path of GET", put(":path", "*"), "", RESET],
  ["a fragment in the path", put(":path", "/healthz#x"), "", 400],
  ["two methods", [[":method", "GET"], ...get], "", RESET],
  ["two paths", [[":path", "/mark"], ...get], "", RESET],
  ["two authorities", [...get, [":authority", "evil"]], "", RESET],
  ["a pseudo-header behind a field", [...without(":path"), ["x", "v"], [":path", "/healthz"]], "", RESET],
  ["a pseudo-header of answers", [...get, [":status", "200"]], "", RESET],
  ["a pseudo-header that nobody knows", [...get, [":x", "v"]], "", RESET],
  ["extended CONNECT", [...put(":method", "CONNECT"), [":protocol", "websocket"]], "", RESET],
  ["Host beside the same authority", [...get, ["host", "localhost"]], "", 200],
  ["Host beside another authority", [...get, ["host", "evil"]], "", 400],
  ["Host in place of the authority", [...without(":authority"), ["host", "localhost"]], "", 200],
  ["two Hosts", [...without(":authority"), ["host", "localhost"], ["host", "evil"]], "", RESET],
  ["an empty Host", [...without(":authority"), ["host", ""]], "", RESET],
];

const open = (id, fields, body) => (body === ""
  ? [frame("HEADERS", END_HEADERS | END_STREAM, id, block(fields))]
  : [frame("HEADERS", END_HEADERS, id, block(fields)), frame("DATA", END_STREAM, id, Buffer.from(body))]);

// `client` has asked nothing yet: streams 1 and 3 are free.
async function probe(client, count, [name, fields, body, owed], tally) {
  const before = await count();
  client.send(...open(1, fields, body), ...open(3, put(":path", "/mark"), ""));
  await client.wait(() => client.answers.has(3) && (client.answers.has(1) || client.resets.has(1)));
  const got = client.resets.get(1) === PROTOCOL_ERROR && !client.answers.has(1) ? RESET : client.answers.get(1);
  tally.check(`${name} is ${owed === RESET ? "reset" : `answered ${owed}`}`, got === owed, `${got}, reset ${client.resets.get(1)}, GOAWAY ${client.goaway}`);
  tally.check(`behind ${name} the next stream gets its own answer`, client.answers.get(3) === 404 && client.goaway === undefined, `${client.answers.get(3)}, GOAWAY ${client.goaway}`);
  const counted = (await count()) - before;
  tally.check(`${name} is ${owed === RESET ? "no request" : "one request"}`, counted === (owed === RESET ? 1 : 2), `${counted} with the mark's`);
}

// Ends the connection: nobody can say what the frames behind it mean.
const ends = [
  ["a frame between HEADERS and CONTINUATION", [frame("HEADERS", 0, 1, block(get)), frame("PING", 0, 0, Buffer.alloc(8))]],
  ["HEADERS of an even stream", open(2, get, "")],
  ["HEADERS of the connection", open(0, get, "")],
  ["DATA before HEADERS", [frame("DATA", END_STREAM, 1, Buffer.from("hello"))]],
  ["PUSH_PROMISE from a client", [frame("PUSH_PROMISE", END_HEADERS, 1, Buffer.concat([Buffer.from([0, 0, 0, 2]), block(get)]))]],
  ["a table entry that is not there", [frame("HEADERS", END_HEADERS | END_STREAM, 1, Buffer.from([0xfe]))]],
  ["a table larger than agreed", [frame("HEADERS", END_HEADERS | END_STREAM, 1, Buffer.from([0x3f, 0xe2, 0x1f, 0x82]))]],
  ["padding longer than its frame", [frame("HEADERS", END_HEADERS | 8, 1, Buffer.from([9, 0x82]))]],
  ["SETTINGS of five bytes", [frame("SETTINGS", 0, 0, Buffer.alloc(5))]],
  ["a frame of more than 16 KiB", [frame("DATA", 0, 1, Buffer.alloc(16_385))]],
];

async function askEnd(daemon, [name, frames], tally) {
  const client = await FrameClient.open(daemon.port("listen"));
  client.send(...frames, ...open(101, get, ""));
  await client.wait(() => client.closed);
  tally.check(`${name} ends the connection, and says so`, client.closed && client.goaway > 0 && !client.answers.has(101), `${client.closed}, GOAWAY ${client.goaway}`);
  client.close();
}

// A number below one that was used is a stream that is over: passed over, as if it had never come.
async function askInDisorder(daemon, tally) {
  const client = await FrameClient.open(daemon.port("listen"));
  client.send(...open(5, get, ""), ...open(3, get, ""), ...open(7, get, ""));
  await client.wait(() => client.answers.has(7));
  tally.check("a stream below the last one is no request", [...client.answers.keys()].join() === "5,7", [...client.answers.keys()].join());
  client.close();
}

const daemon = await Daemon.start(process.argv[2]);
const tally = new Tally();
let asked = 0; // /metrics counts itself
const count = async () => (await daemon.metric("vitrace_http_requests_total")) - ++asked;
for (const [name, probes] of Object.entries({ lengths, "fields of a connection": connections, "breaks and blanks": breaks, "pseudo-headers": pseudo }))
  await tally.section(`${name}: ${probes.length} streams`, async () => {
    for (const one of probes) {
      const client = await FrameClient.open(daemon.port("listen"));
      await probe(client, count, one, tally);
      client.close();
    }
  });
await tally.section(`frames: ${ends.length} connections`, async () => { for (const end of ends) await askEnd(daemon, end, tally); });
await tally.section("streams in disorder", () => askInDisorder(daemon, tally));
const ended = await daemon.stop();
tally.check("it ends cleanly", ended === "", ended);
tally.close();
