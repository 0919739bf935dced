// What does a change look like line by line? From two texts or from a unified diff, as rows with their line numbers.

import { parsePatch, structuredPatch, type StructuredPatch } from 'diff';

export interface DiffRow {
  kind: 'same' | 'add' | 'del' | 'gap';
  before: number | null;
  after: number | null;
  text: string;
}

export interface DiffView {
  rows: DiffRow[];
  added: number;
  removed: number;
}

type Change = { path: string; oldText: string | null; newText: string | null; patch: string | null };

/** Texts above this are not compared line by line; it would hold the page up. In characters, both together. */
const LONGEST = 400_000;

const known = new WeakMap<Change, DiffView>();

/** The rows of a change. Kept per object, so that drawing it again costs nothing. */
export function diffOf(change: Change): DiffView {
  let view = known.get(change);
  if (!view) {
    view = compute(change);
    known.set(change, view);
  }
  return view;
}

function compute(change: Change): DiffView {
  const rows = patchesOf(change).flatMap(rowsOf);
  return {
    rows,
    added: rows.filter((row) => row.kind === 'add').length,
    removed: rows.filter((row) => row.kind === 'del').length,
  };
}

function patchesOf({ path, oldText, newText, patch }: Change): StructuredPatch[] {
  const before = oldText ?? '';
  const after = newText ?? '';
  if (oldText === null && newText === null && patch !== null) return parsed(patch);
  if (before.length + after.length > LONGEST) return [whole(before, '-'), whole(after, '+')];
  return [structuredPatch(path, path, before, after, '', '', { context: 3 })];
}

/** A unified diff; one without file headers gets them, and one that cannot be read is shown as it is. */
function parsed(patch: string): StructuredPatch[] {
  try {
    const patches = parsePatch(patch);
    return patches.some(({ hunks }) => hunks.some((hunk) => hunk.lines.length > 0)) ? patches : [whole(patch, ' ')];
  } catch {
    return [whole(patch, ' ')];
  }
}

function whole(text: string, sign: string): StructuredPatch {
  const lines = text === '' ? [] : text.split('\n').map((line) => sign + line);
  const hunk = { oldStart: 1, oldLines: lines.length, newStart: 1, newLines: lines.length, lines };
  return { oldFileName: '', newFileName: '', oldHeader: '', newHeader: '', hunks: [hunk] } as StructuredPatch;
}

function rowsOf(patch: StructuredPatch): DiffRow[] {
  const rows: DiffRow[] = [];
  for (const [n, hunk] of patch.hunks.entries()) {
    if (n > 0) rows.push({ kind: 'gap', before: null, after: null, text: '' });
    let before = hunk.oldStart;
    let after = hunk.newStart;
    for (const line of hunk.lines) {
      const text = line.slice(1);
      if (line.startsWith('+')) rows.push({ kind: 'add', before: null, after: after++, text });
      else if (line.startsWith('-')) rows.push({ kind: 'del', before: before++, after: null, text });
      else if (!line.startsWith('\\')) rows.push({ kind: 'same', before: before++, after: after++, text });
    }
  }
  return rows;
}
