// Whose work is in the packages, and under which licence? Writes THIRD_PARTY_NOTICES: every crate that is linked and every npm package
// that the page is built from, with the texts that came with them. Reads what is on this machine (the registry's sources,
// node_modules) and asks no network. A licence that is not on the list below ends it.
//
//   node packaging/notices.mjs [--target TRIPLE] [--output FILE]
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The packages of ours that end up on a user's machine. */
const shipped = ['outrigger-cli', 'outrigger-desktop'];
/** May be part of something under MIT OR Apache-2.0. MPL-2.0 asks for the sources of its own files, which are public and unchanged. */
const allowed = new Set(
  `MIT MIT-0 Apache-2.0 BSD-1-Clause BSD-2-Clause BSD-3-Clause ISC Zlib 0BSD BSL-1.0 CC0-1.0 Unlicense Unicode-3.0 Unicode-DFS-2016
   MPL-2.0 OFL-1.1 CDLA-Permissive-2.0 Apache-2.0-WITH-LLVM-exception`.split(/\s+/),
);

/** Whether an SPDX expression can be met with licences of the list: one side of an OR, both of an AND. */
export function isAllowed(expression) {
  const words = expression
    .replaceAll('/', ' OR ')
    .replace(/ WITH /g, '-WITH-')
    .replace(/[()]/g, ' $& ')
    .trim()
    .split(/\s+/);
  const either = () => {
    let met = both();
    while (words[0] === 'OR') {
      words.shift();
      met = both() || met;
    }
    return met;
  };
  const both = () => {
    let met = one();
    while (words[0] === 'AND') {
      words.shift();
      met = one() && met;
    }
    return met;
  };
  const one = () => {
    const word = words.shift();
    if (word !== '(') return allowed.has(word) || allowed.has(word?.replace(/-WITH-.*/, ''));
    const met = either();
    words.shift();
    return met;
  };
  return either() && words.length === 0;
}

/** The crates that are linked into what is shipped for a target; what only builds or tests need is not among them. */
function crates(target) {
  const options = ['metadata', '--format-version', '1', '--offline', '--filter-platform', target];
  const { packages, resolve } = JSON.parse(execFileSync('cargo', options, { cwd: root, maxBuffer: 1 << 28 }));
  const [byId, nodes] = [packages, resolve.nodes].map((list) => new Map(list.map((entry) => [entry.id, entry])));
  const found = new Set();
  const waiting = packages.filter((entry) => shipped.includes(entry.name) && entry.source == null).map(({ id }) => id);
  while (waiting.length > 0) {
    const id = waiting.pop();
    if (found.has(id)) continue;
    found.add(id);
    // A macro runs in the compiler, and what it uses stays there.
    if (byId.get(id).targets.some(({ kind }) => kind.includes('proc-macro'))) continue;
    const linked = nodes.get(id).deps.filter(({ dep_kinds: kinds }) => kinds.some(({ kind }) => kind == null));
    waiting.push(...linked.map(({ pkg }) => pkg));
  }
  const others = [...found].map((id) => byId.get(id)).filter(({ source }) => source != null);
  return others.map((entry) => ({
    title: `${entry.name} ${entry.version}`,
    purl: `pkg:cargo/${entry.name}@${encodeURIComponent(entry.version)}`,
    name: entry.name,
    version: entry.version,
    license: entry.license ?? '',
    authors: entry.authors,
    texts: textsIn(dirname(entry.manifest_path), 1),
  }));
}

/** Named in the licence file of the package and nowhere else. */
const named = { 'svelte-toolbelt': 'MIT' };

/** The npm packages that the page may contain: everything that is not marked as needed for development alone. */
function npmPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const names = Object.keys(packages).filter((path) => path !== '' && !packages[path].dev && !packages[path].optional);
  return names.map((path) => {
    const folder = join(root, path);
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const author = typeof about.author === 'object' ? about.author?.name : about.author;
    const license = about.license ?? packages[path].license ?? named[about.name] ?? '';
    const { name, version } = about;
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    return {
      title: `${name} ${version} (npm)`,
      purl,
      name,
      version,
      license,
      authors: author ? [author] : [],
      texts: textsIn(folder, 0),
    };
  });
}

const isText = (name) =>
  /^(licen[cs]e|copying|notice|unlicense|copyright)/i.test(name) && !/\.(rs|js|ts|html)$/i.test(name);

/** Licence texts in a folder, in folders of licences, and as many levels below as is said: C libraries lie inside of crates. */
function textsIn(folder, levels) {
  const entries = readdirSync(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && isText(entry.name));
  const folders = entries.filter(
    (entry) => entry.isDirectory() && (levels > 0 || isText(entry.name)) && entry.name !== 'node_modules',
  );
  const here = files.map(({ name }) => readFileSync(join(folder, name), 'utf8'));
  return [...here, ...folders.flatMap(({ name }) => textsIn(join(folder, name), Math.max(levels - 1, 0)))];
}

/** Whose work is shipped for a target. Throws where a licence is missing or not on the list. */
export function works(target) {
  const found = [...crates(target), ...npmPackages()].sort((a, b) => a.title.localeCompare(b.title, 'en'));
  const wrong = found.filter(({ license }) => license === '' || !isAllowed(license));
  if (wrong.length > 0) {
    const list = wrong.map(({ title, license }) => `  ${title}: ${license || 'no licence is named'}`).join('\n');
    throw new Error(`licences that are not on the list in packaging/notices.mjs:\n${list}`);
  }
  return found;
}

/** The notices, as a text. */
export function notices(found) {
  const users = new Map();
  for (const work of found) {
    for (const text of new Set(work.texts.map((text) => text.replace(/\r/g, '').trim()))) {
      const key = text.replace(/\s+/g, ' ');
      if (!users.has(key)) users.set(key, { text, names: [] });
      users.get(key).names.push(work.title);
    }
  }
  const rule = '='.repeat(100);
  const list = found.map(
    ({ title, license, authors, texts }) =>
      `${title}: ${license}${texts.length === 0 && authors.length > 0 ? `; by ${authors.join(', ')}` : ''}`,
  );
  const texts = [...users.values()].map(({ text, names }) => `${rule}\n${names.join('\n')}\n${rule}\n\n${text}\n`);
  return `What Outrigger is built from, besides its own sources. The texts of the licences follow the list.
Programs in Rust also contain its standard library (MIT OR Apache-2.0). SQLite, inside of libsqlite3-sys, is in the public domain.

${list.join('\n')}

${texts.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { target: { type: 'string' }, output: { type: 'string' } } });
  const target = values.target ?? execFileSync('rustc', ['--print', 'host-tuple'], { encoding: 'utf8' }).trim();
  const found = works(target);
  const text = notices(found);
  if (values.output) writeFileSync(values.output, text);
  const without = found.filter(({ texts }) => texts.length === 0).map(({ title }) => title);
  console.log(
    `${found.length} works, ${Math.ceil(text.length / 1024)} KiB, all under licences of the list; without a text of their own: ${without.join(', ') || 'none'}`,
  );
}
