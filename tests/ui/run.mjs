// Runs the page's tests, two files at a time. In continuous integration a test that fails is run once more by itself, and is
// reported as flaky if it passes then: a reason to look at it, not to throw a whole run away. Elsewhere it has failed.
//
//   node tests/ui/run.mjs [FILE…]

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec, tap } from 'node:test/reporters';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const CONCURRENCY = 2;
/** How the lines begin that the runner closes with. */
const CLOSING = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

/** @typedef {{ type: string, data: Record<string, any> }} Told What the runner tells. */

/** @param {Told} told */
const failed = ({ type, data }) => type === 'test:fail' && data.nesting === 0;

/** @param {Told} told */
const closes = ({ type, data }) =>
  data.nesting === 0 && (type === 'test:plan' || (type === 'test:diagnostic' && CLOSING.test(data.message)));

/**
 * The same test once more. A file that could not be run at all is run whole.
 *
 * @param {Told['data']} test
 * @returns {Promise<Told | undefined>} That it passed, or nothing.
 */
async function passesNow({ file, name, testNumber }) {
  const isFile = file === undefined || file === name;
  const pattern = new RegExp(`^${name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}$`);
  /** @type {Told[]} */
  const results = [];
  for await (const told of run({ files: [file ?? name], ...(isFile ? {} : { testNamePatterns: [pattern] }) }))
    results.push(told);
  const passed = results.find(({ type, data }) => type === 'test:pass' && (isFile || data.name === name));
  return results.some(failed) || !passed ? undefined : { ...passed, data: { ...passed.data, name, testNumber } };
}

/**
 * What a run tells; with `again` of each test that failed what its second try came to.
 *
 * @param {string[]} files
 * @param {boolean} again
 */
async function* tries(files, again) {
  /** @type {[Told[], Told[]]} */
  const [failures, closing] = [[], []];
  for await (const told of run({ files, concurrency: CONCURRENCY })) {
    if (again && failed(told)) failures.push(told);
    else if (closes(told)) closing.push(told);
    else yield told;
  }
  let flaky = 0;
  for (const failure of failures) {
    const passed = await passesNow(failure.data);
    yield passed ?? failure;
    if (!passed) continue;
    flaky += 1;
    const { file, name, details } = failure.data;
    const why = String(details.error?.cause ?? details.error);
    for (const line of [`flaky, passed when it was run once more: ${name}`, ...why.split('\n')])
      yield { type: 'test:diagnostic', data: { nesting: 0, file, message: line } };
  }
  for (const { type, data } of closing) yield { type, data: { ...data, message: counted(data.message, flaky) } };
}

/** A closing line, with the flaky ones among those that passed. @param {string | undefined} line @param {number} flaky */
function counted(line, flaky) {
  const more = { pass: flaky, fail: -flaky }[line?.split(' ')[0] ?? ''];
  return more === undefined ? line : `${line.split(' ')[0]} ${Number(line.split(' ')[1]) + more}`;
}

const all = readdirSync(here).filter((name) => name.endsWith('.test.mjs'));
const files = process.argv.length > 2 ? process.argv.slice(2) : all.map((name) => path.join(here, name));
const events = Readable.from(tries(files, Boolean(process.env.CI)));
events.on('data', (told) => {
  if (failed(told)) process.exitCode = 1;
});
events.compose(process.stdout.isTTY ? new spec() : tap).pipe(process.stdout);
