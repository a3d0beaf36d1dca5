// What a collector does first with a body: its first bytes say how it is packed (proto/WIRE.md).
import { gunzipSync, inflateSync } from "node:zlib";

export function unpacked(body) {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body);
  return body[0] === 0x78 ? inflateSync(body) : body;
}
