// Just enough protobuf to read ids out of what was acknowledged: fields by number, nothing of the schema.
export function* protobufFields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0n, shift = 0n;
    for (;;) {
      if (at >= bytes.length || shift > 63n) throw new Error("bad varint");
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
      shift += 7n;
    }
  };
  while (at < bytes.length) {
    const key = varint(), number = Math.floor(key / 8), type = key % 8;
    if (type === 0) yield { number, value: varint() };
    else {
      const size = { 1: 8, 5: 4 }[type] ?? (type === 2 ? varint() : -1);
      if (size < 0 || at + size > bytes.length) throw new Error("bad field");
      yield { number, value: bytes.subarray(at, (at += size)) };
    }
  }
}

const nested = function* (bytes, [number, ...deeper]) {
  for (const field of protobufFields(bytes)) {
    if (field.number !== number) continue;
    if (deeper.length === 0) yield field.value;
    else yield* nested(field.value, deeper);
  }
};

const hex = (bytes) => Buffer.from(bytes).toString("hex");

// Beacon.header (1): view_id (3), seq (5; absent means 0). See proto/vitrace/v1/beacon.proto.
export function beaconId(bytes) {
  const [header] = nested(bytes, [1]);
  const fields = new Map([...protobufFields(header)].map(({ number, value }) => [number, value]));
  return { view_id: hex(fields.get(3)), seq: fields.get(5) ?? 0 };
}

// ExportTraceServiceRequest.resource_spans (1).scope_spans (2).spans (2): trace_id (1), span_id (2).
export function spanIds(bytes) {
  return [...nested(bytes, [1, 2, 2])].map((span) => {
    const fields = new Map([...protobufFields(span)].map(({ number, value }) => [number, value]));
    return { trace_id: hex(fields.get(1)), span_id: hex(fields.get(2)) };
  });
}
