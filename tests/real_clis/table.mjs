#!/usr/bin/env node
// Prints the table provider × scenario from the cells that the tests have noted (see table.rs), as Markdown.
//
//   node tests/real_clis/table.mjs FOLDER
//
// A cell that no test has noted stays empty: it was not tried in this run.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** @typedef {{ provider: string, column: number, title: string, word: string, reason: string }} Cell */

/** The providers that come first; any other follows in the order of its name. */
const FIRST = ['claude', 'codex'];

/**
 * @param {string} folder
 * @returns {Cell[]}
 */
function cellsIn(folder) {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
}

/**
 * @param {Cell[]} cells
 * @returns {string}
 */
function table(cells) {
  const columns = [...new Map(cells.map((cell) => [cell.column, cell.title])).entries()].sort(([a], [b]) => a - b);
  const providers = [...new Set(cells.map((cell) => cell.provider))].sort(
    (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1),
  );
  /** @type {string[]} */
  const reasons = [];
  const word = (/** @type {Cell | undefined} */ cell) => {
    if (!cell?.reason) return cell?.word ?? '';
    if (!reasons.includes(cell.reason)) reasons.push(cell.reason);
    return `${cell.word} (${reasons.indexOf(cell.reason) + 1})`;
  };
  const rows = providers.map((provider) => {
    const row = cells.filter((cell) => cell.provider === provider);
    return [provider, ...columns.map(([column]) => word(row.find((cell) => cell.column === column)))];
  });
  const lines = aligned([['provider', ...columns.map(([, title]) => title)], ...rows]);
  const notes = reasons.map((reason, at) => `(${at + 1}) ${reason}`);
  return [...lines, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

/** @param {string} provider */
const rank = (provider) => (FIRST.includes(provider) ? FIRST.indexOf(provider) : FIRST.length);

/**
 * @param {string[][]} rows the first one is the head
 * @returns {string[]}
 */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (/** @type {string[]} */ row) => `| ${row.map((word, at) => word.padEnd(widths[at])).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)];
}

const cells = cellsIn(process.argv[2] ?? 'target/real-clis-table');
process.stdout.write(cells.length === 0 ? 'no cell of the table was noted\n' : `${table(cells)}\n`);
