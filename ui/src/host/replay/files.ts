// Which files has the pretended machine, and what becomes of the ones that are chosen, pasted and dropped?

import type { ChosenFile } from '../../protocol/ChosenFile';
import type { FileMatches } from '../../protocol/FileMatches';

/** The pretended workspace, as git would list it. */
export const FILES = [
  '.github/',
  '.github/workflows/ci.yml',
  'Cargo.toml',
  'README.md',
  'docs/',
  'docs/rowing guide.md',
  'src/',
  'src/boat.rs',
  'src/crew/',
  'src/crew/coxswain.rs',
  'src/crew/stroke.rs',
  'src/lib.rs',
  'src/oar.rs',
  'src/outrigger.rs',
  'tests/reach.rs',
];

/** The largest file that may come by its content, in bytes. */
const PASTED = 20 * 1024 * 1024;

/** Those that have the letters in order, the shorter ones first. */
export function complete(typed: string, limit: number): FileMatches {
  const wanted = [...typed.toLowerCase()];
  const fitting = FILES.flatMap((path) => {
    if (wanted.length === 0) return path.replace(/\/$/, '').includes('/') ? [] : [{ path, fits: [] }];
    const fits: number[] = [];
    let from = 0;
    for (const letter of wanted) {
      const at = path.toLowerCase().indexOf(letter, from);
      if (at < 0) return [];
      fits.push(at);
      from = at + 1;
    }
    return [{ path, fits }];
  });
  fitting.sort((a, b) => spread(a.fits) - spread(b.fits) || a.path.length - b.path.length);
  return { matches: fitting.slice(0, limit), lookedThrough: FILES.length, cut: false };
}

const spread = (fits: number[]) => (fits.at(-1) ?? 0) - (fits[0] ?? 0);

/** What was pasted or dropped in this page, by its path. */
const kept = new Map<string, string>();

const types: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
};

/** The file of these bytes. */
export function keep(name: string, data: string): ChosenFile {
  const bytes = Math.floor((data.length / 4) * 3);
  if (bytes > PASTED) {
    const has = Math.ceil(bytes / 1024 / 1024);
    throw {
      code: 'badRequest',
      message: `${name} has ${has} MiB; 20 MiB can be pasted or dropped. Choose it with “Attach files” instead: then its path is named to the agent, and it may be of any size`,
    };
  }
  const path = `~/.local/share/outrigger/attachments/${name}`;
  kept.set(path, data);
  return { path, name, mimeType: types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream', bytes };
}

/** How an image looks that was pasted, or that stands in a scene. */
export function looks(path: string): string | null {
  const type = types[path.split('.').at(-1) ?? ''];
  const data = kept.get(path) ?? (path.endsWith(LAMP) ? DRAWING : undefined);
  return type && data ? `data:${type};base64,${data}` : null;
}

/** An image that went with a prompt of a scene. */
export const LAMP = 'lamp.png';

/** 8 by 8 pixels, half of them lit. */
const DRAWING =
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAHElEQVR4nGP4z8CAFTFgFYWJMjBgFcUhAVWPSwIAHv0/wWcGq40AAAAASUVORK5CYII=';
