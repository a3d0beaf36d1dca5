// The shop's photograph: an evening fjord, drawn and PNG-encoded here so that the repository holds no picture. It is a
// real raster of some 100 kB, large enough to be the largest contentful paint.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { crc32 } from "./crc32.mjs";

const WIDTH = 1440, HEIGHT = 560;
const VERSION = "hero-1";

const mix = (from, to, t) => from.map((value, index) => value + (to[index] - value) * t);
const SKY = [[[24, 32, 66], 0], [[92, 62, 112], 0.4], [[232, 128, 96], 0.74], [[252, 204, 136], 1]];
// base height, swell, roughness, colour of a ridge; back to front
const RIDGES = [[0.56, 0.09, 3.1, [128, 84, 116]], [0.66, 0.08, 4.7, [84, 62, 102]], [0.78, 0.07, 6.3, [46, 42, 78]], [0.9, 0.05, 8.9, [18, 22, 48]]];

function skyColour(t) {
  const upper = SKY.findIndex(([, at]) => at >= t);
  if (upper <= 0) return SKY[Math.max(upper, 0)][0];
  const [from, start] = SKY[upper - 1], [to, end] = SKY[upper];
  return mix(from, to, (t - start) / (end - start));
}

function ridgeLine([base, swell, roughness], x) {
  const u = x / WIDTH;
  const wave = Math.sin(u * roughness * 2 + base * 40) * 0.6 + Math.sin(u * roughness * 5.3 + base * 9) * 0.28
    + Math.sin(u * roughness * 17 + base * 3) * 0.08;
  return (base - wave * swell) * HEIGHT;
}

function sunGlow(x, y) {
  const distance = Math.hypot(x - WIDTH * 0.68, y - HEIGHT * 0.5);
  return distance < 46 ? 1 : Math.max(0, 1 - (distance - 46) / 330) ** 2 * 0.7;
}

function pixel(x, y, lines) {
  const sky = mix(skyColour(Math.min(y / (HEIGHT * 0.72), 1)), [255, 240, 206], sunGlow(x, y));
  return RIDGES.reduce((colour, ridge, index) => {
    const cover = Math.min(Math.max(y - lines[index] + 0.5, 0), 1); // one pixel of anti-aliasing
    return cover === 0 ? colour : mix(colour, ridge[3], cover);
  }, sky);
}

// Rows filtered with "Sub" (each byte minus the byte of the pixel to its left): gradients become near-constant runs.
function rasterRows() {
  const stride = 1 + WIDTH * 3;
  const rows = Buffer.alloc(stride * HEIGHT);
  const lines = Array.from({ length: WIDTH }, (_, x) => RIDGES.map((ridge) => ridgeLine(ridge, x)));
  for (let y = 0; y < HEIGHT; y++) {
    let left = [0, 0, 0], at = y * stride;
    rows[at++] = 1;
    for (let x = 0; x < WIDTH; x++) {
      const colour = pixel(x, y, lines[x]).map(Math.round);
      for (let channel = 0; channel < 3; channel++) rows[at++] = (colour[channel] - left[channel]) & 255;
      left = colour;
    }
  }
  return rows;
}

function chunk(type, data) {
  const framed = Buffer.alloc(data.length + 12);
  framed.writeUInt32BE(data.length, 0);
  framed.write(type, 4, "latin1");
  data.copy(framed, 8);
  framed.writeUInt32BE(crc32(framed.subarray(4, data.length + 8)), data.length + 8);
  return framed;
}

function encodePng() {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB, no interlacing
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header),
    chunk("IDAT", deflateSync(rasterRows(), { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

export function heroImage(cacheFolder) {
  const path = join(cacheFolder, `${VERSION}.png`);
  if (!existsSync(path)) {
    mkdirSync(cacheFolder, { recursive: true });
    writeFileSync(`${path}.new`, encodePng());
    renameSync(`${path}.new`, path);
  }
  return readFileSync(path);
}
