/**
 * Reads a beacon by the schema, for people: fields under their names, enums as words, `*_ref` as the text that it refers
 * to. Strict where it matters: what is cut short or does not fit its field throws, unknown fields are kept by number.
 */
export interface Schema {
  readonly messages: Readonly<Record<string, Readonly<Record<number, readonly [name: string, type: string, repeated?: number]>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<number, string>>>>;
}

export type Decoded = { [field: string]: Value };
export type Value = number | string | boolean | Decoded | Value[];

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Messages of the schema nest three deep; a cycle of bytes cannot nest deeper than the schema's types do. */
export function decodeBeacon(bytes: Uint8Array, schema: Schema): Decoded {
  const beacon = decodeMessage(bytes, "Beacon", schema);
  const strings = (beacon.strings ?? []) as string[];
  delete beacon.strings;
  return resolve(beacon, strings) as Decoded;
}

function decodeMessage(bytes: Uint8Array, type: string, schema: Schema): Decoded {
  const out: Decoded = {};
  let at = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const take = (count: number) => {
    if (count > bytes.length - at) throw new RangeError(`${type} is cut short`);
    at += count;
    return at - count;
  };
  /** Up to 2^53 exactly: no number of ours is larger. */
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[take(1)];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
      if (shift > 2 ** 62) throw new RangeError(`${type} has a number without an end`);
    }
  };
  const scalar = (kind: string, wire: number): Value => {
    if (wire === 1) return view.getFloat64(take(8), true);
    if (wire === 5) return view.getFloat32(take(4), true);
    const number = varint();
    if (kind === "sint64") return number % 2 ? -(number + 1) / 2 : number / 2;
    return kind === "bool" ? number !== 0 : (schema.enums[kind]?.[number] ?? number);
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    const number = Math.floor(tag / 8);
    const [name, kind, repeated] = schema.messages[type][number] ?? [`field_${number}`, "bytes"];
    if (wire > 2 && wire !== 5) throw new RangeError(`${type} has a wire type ${wire}`);
    let values: Value[];
    if (wire !== 2) {
      values = [scalar(kind, wire)];
    } else {
      const size = varint();
      const from = take(size);
      const body = bytes.subarray(from, from + size);
      if (kind === "double") {
        const packed = new DataView(body.buffer, body.byteOffset, size - (size % 8));
        values = Array.from({ length: size / 8 }, (_, n) => packed.getFloat64(n * 8, true));
      } else if (kind === "string") values = [utf8.decode(body)];
      else values = [schema.messages[kind] ? decodeMessage(body, kind, schema) : hex(body)];
    }
    if (repeated) out[name] = ((out[name] as Value[] | undefined) ?? []).concat(values);
    else out[name] = values[values.length - 1] ?? 0;
  }
  return out;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function resolve(value: Value, strings: readonly string[]): Value {
  if (Array.isArray(value)) return value.map((one) => resolve(one, strings));
  if (typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) =>
      name.endsWith("_ref") ? [name.slice(0, -4), strings[(one as number) - 1] ?? ""] : [name, resolve(one, strings)],
    ),
  );
}
