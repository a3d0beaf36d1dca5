/** gzip where it pays. Nothing says so but the first two bytes: a Content-Encoding header would cost a preflight. */
const BYTES_MIN = 1024;

export async function pack(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (body.length > BYTES_MIN) {
    try {
      const zipped = new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"));
      const packed = new Uint8Array(await new Response(zipped).arrayBuffer());
      if (packed.length < body.length) return packed;
    } catch {
      // Not in this browser.
    }
  }
  return body;
}
