// Raw inboxes as a page without WebAssembly sends them, made of a recorded entry stream.
// The golden session (wasm/replay/replay.h): frames of f64 mono, f64 wall, u32 words, u32 string bytes, u32 op, u32 0.
export function framesOf(stream) {
  const frames = [];
  for (let at = 0; at < stream.length;) {
    const words = stream.readUInt32LE(at + 16), strings = stream.readUInt32LE(at + 20);
    const end = at + 32 + words * 8 + strings;
    frames.push({ clocks: stream.subarray(at, at + 16), words, strings, op: stream.readUInt32LE(at + 24), batch: stream.subarray(at + 32, end) });
    at = end;
  }
  return frames;
}

// A run of takes is one body: up to the next seal, or to what a page would send at a time. It has one pair of clocks.
const SOON = 20_000;
export function bodiesOf(frames) {
  const bodies = [];
  let body = { batches: [], bytes: 0 };
  const close = (final) => {
    if (body.batches.length > 0) bodies.push({ batches: body.batches, clocks: body.batches.at(-1).clocks, final });
    body = { batches: [], bytes: 0 };
  };
  for (const frame of frames) {
    if (frame.op === 0) {
      if (body.bytes + frame.batch.length > SOON) close(false);
      body.batches.push(frame);
      body.bytes += frame.batch.length;
    } else close(frame.op === 2);
  }
  close(true);
  return bodies;
}

export function encode(body, seq, id) {
  const head = Buffer.alloc(44);
  head.write("VTRI", 0, "latin1");
  head[4] = 2;
  head[5] = body.final ? 1 : 0;
  head.writeUInt32LE(seq, 8);
  body.clocks.copy(head, 12);
  id.copy(head, 28);
  const parts = [head];
  for (const { words, strings, batch } of body.batches) {
    const sizes = Buffer.alloc(8);
    sizes.writeUInt32LE(words, 0);
    sizes.writeUInt32LE(strings, 4);
    parts.push(sizes, batch, Buffer.alloc((8 - (strings % 8)) % 8));
  }
  return Buffer.concat(parts);
}

// START's view id: four words after the kind, most significant byte first.
export function documentId(batch) {
  const id = Buffer.alloc(16);
  for (let i = 0; i < 4; i++) id.writeUInt32BE(batch.readDoubleLE(8 * (1 + i)), 4 * i);
  return id;
}
