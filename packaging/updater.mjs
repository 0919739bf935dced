// How does an installed app learn of a newer one? Puts into a build where updates are announced and which key signs them, and makes
// the announcement. Both are known only to whoever publishes, so a build of one's own has neither, and looks for no updates.
//
//   node packaging/updater.mjs FOLDER ADDRESS    writes FOLDER/latest.json, for the files of FOLDER, which will be at ADDRESS/NAME
//   node packaging/updater.mjs --notes           prints what CHANGELOG.md says of this version
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Which file updates which system. What was installed by a package is replaced by a package. */
const platforms = [
  ['linux-x86_64-deb', /_amd64\.deb$/],
  ['linux-x86_64-rpm', /\.x86_64\.rpm$/],
  ['linux-aarch64-deb', /_arm64\.deb$/],
  ['linux-aarch64-rpm', /\.aarch64\.rpm$/],
  ['darwin-aarch64', /\.app\.tar\.gz$/],
  ['darwin-x86_64', /\.app\.tar\.gz$/],
  ['windows-x86_64', /_x64-setup\.exe$/],
];

/** `config` with the updater's part, as far as the environment names it: OUTRIGGER_UPDATES (an address) and OUTRIGGER_UPDATE_KEY (public). */
export function updaterConfig(config, environment) {
  const { OUTRIGGER_UPDATES: endpoint, OUTRIGGER_UPDATE_KEY: pubkey, TAURI_SIGNING_PRIVATE_KEY: signs } = environment;
  if (!endpoint && !pubkey) return config;
  if (!endpoint || !pubkey)
    throw new Error('OUTRIGGER_UPDATES and OUTRIGGER_UPDATE_KEY are set together or not at all');
  if (!endpoint.startsWith('https://')) throw new Error(`OUTRIGGER_UPDATES is ${endpoint}, which is no https address`);
  const updater = { endpoints: [endpoint], pubkey, windows: { installMode: 'passive' } };
  const bundle = { ...config.bundle, createUpdaterArtifacts: Boolean(signs) };
  return { ...config, bundle, plugins: { updater } };
}

/** The announcement of what is in a folder: each file that has a signature beside it. */
export function announcement(folder, address, { version, notes, date }) {
  const files = readdirSync(folder);
  const found = platforms.flatMap(([platform, pattern]) => {
    const file = files.find((name) => pattern.test(name) && files.includes(`${name}.sig`));
    if (!file) return [];
    const signature = readFileSync(join(folder, `${file}.sig`), 'utf8').trim();
    return [[platform, { signature, url: `${address}/${encodeURIComponent(file)}` }]];
  });
  return { version, notes, pub_date: date, platforms: Object.fromEntries(found) };
}

/** What CHANGELOG.md says of a version. */
export function notesOf(changelog, version) {
  const parts = changelog.split(/^## /m).slice(1);
  const part =
    parts.find((text) => text.startsWith(`[${version}]`)) ?? parts.find((text) => text.startsWith('[Unreleased]'));
  return (part ?? '').split('\n').slice(1).join('\n').trim();
}

/** Writes the announcement, unless there is nothing that an installed app would trust. */
function announce(folder, address, about) {
  const made = announcement(folder, address, { ...about, date: new Date().toISOString() });
  const platforms = Object.keys(made.platforms);
  if (platforms.length === 0) return console.log('nothing is signed, so nothing is announced');
  writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(made, null, 2)}\n`);
  console.log(`latest.json announces ${about.version} for ${platforms.join(', ')}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, address] = process.argv.slice(2);
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const notes = notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version);
  if (folder === '--notes') console.log(notes);
  else announce(folder, address, { version, notes });
}
