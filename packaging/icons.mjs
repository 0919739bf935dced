// Draws every icon file anew from the SVGs in src-tauri/icons: PNGs for Linux, icon.ico, icon.icns, and the tray's variants.
// Needs rsvg-convert and icotool (Debian: librsvg2-bin, icoutils). The results are in the tree, since builds must not need these
// tools; run this after a change of an SVG, and look at the results at their real size.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const icons = fileURLToPath(new URL('../src-tauri/icons/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'outrigger-icons-'));

/** The drawing for a size: small ones have one of their own, with its edges on whole pixels. */
const drawing = (size) => ({ 16: 'app-16.svg', 22: 'app-22.svg', 24: 'app-24.svg' })[size] ?? 'app.svg';

function draw(svg, size, file) {
  execFileSync('rsvg-convert', ['--width', size, '--height', size, '--output', file, svg]);
  return file;
}

/** macOS leaves room around a tile, for its shadow; the other systems do not. */
function drawForMac(size) {
  const [svg, file] = [join(scratch, 'mac.svg'), join(scratch, `mac-${size}.png`)];
  const roomy = readFileSync(join(icons, 'app.svg'), 'utf8').replace(
    'viewBox="0 0 512 512"',
    'viewBox="-42 -42 596 596"',
  );
  writeFileSync(svg, roomy);
  return readFileSync(draw(size === 16 ? join(icons, drawing(16)) : svg, size, file));
}

/** An .icns is a list of PNGs, each with its kind and length. */
function icns() {
  const kinds = {
    icp4: 16,
    ic11: 32,
    icp5: 32,
    ic12: 64,
    ic07: 128,
    ic13: 256,
    ic08: 256,
    ic14: 512,
    ic09: 512,
    ic10: 1024,
  };
  const entries = Object.entries(kinds).map(([kind, size]) => chunk(kind, drawForMac(size)));
  return chunk('icns', Buffer.concat(entries));
}

function chunk(kind, bytes) {
  const head = Buffer.alloc(8);
  head.write(kind, 'ascii');
  head.writeUInt32BE(bytes.length + 8, 4);
  return Buffer.concat([head, bytes]);
}

/** Named by the panel that they are for. The drawing has two placeholders, and a dot that only one that calls has. */
function drawTray() {
  const template = readFileSync(join(icons, 'tray.svg'), 'utf8');
  const withoutDot = template.replace(/^.*class="attention".*\n/gm, '');
  mkdirSync(join(icons, 'tray'), { recursive: true });
  for (const [panel, ink, dot] of [
    ['dark', '#f3f6f6', '#f0a63a'],
    ['light', '#26302f', '#c46a00'],
  ]) {
    for (const [name, svg] of [
      [`on-${panel}`, withoutDot],
      [`on-${panel}-attention`, template],
    ]) {
      const file = join(scratch, `${name}.svg`);
      writeFileSync(file, svg.replace('INK', ink).replace('DOT', dot));
      // Twice the 22 px of a panel, which systems scale down evenly.
      draw(file, 44, join(icons, 'tray', `${name}.png`));
    }
  }
}

try {
  for (const size of [16, 22, 24, 32, 48, 64, 128, 256, 512]) {
    draw(join(icons, drawing(size)), size, join(icons, `${size}x${size}.png`));
  }
  const png = (size) => draw(join(icons, drawing(size)), size, join(scratch, `${size}.png`));
  const layers = [16, 24, 32, 48, 64].map(png);
  // Only the largest layer of an .ico may be a PNG.
  execFileSync('icotool', ['--create', '--output', join(icons, 'icon.ico'), ...layers, '--raw', png(256)]);
  writeFileSync(join(icons, 'icon.icns'), icns());
  drawTray();
} finally {
  rmSync(scratch, { recursive: true });
}
