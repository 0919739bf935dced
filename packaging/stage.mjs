// What lies beside the programs in a package? Collects it in a folder, from which the bundler takes it: runners without their tests,
// the command line under the name that the bundler wants, licence notices, and on Linux manual pages, completions and AppStream data.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { notices, works } from './notices.mjs';
import { billOfMaterials } from './sbom.mjs';

/** Only what is under version control: a developer's folder has more in it. */
function stageRunners({ root, stage }) {
  const tracked = execFileSync('git', ['ls-files', '-z', 'runners'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter(Boolean);
  const shipped = tracked.filter((path) => !path.endsWith('.test.mjs') && !path.startsWith('runners/testing/'));
  for (const path of shipped) cpSync(join(root, path), join(stage, path));
}

/** Programs that come along carry the target's name until they are in the package. */
function stageProgram({ stage, target, programs, suffix }) {
  for (const name of ['outrigger', 'outrigger-keeper', 'outrigger-toolbox'])
    cpSync(join(programs, `${name}${suffix}`), join(stage, 'bin', `${name}-${target}${suffix}`));
}

/** The releases of CHANGELOG.md in AppStream's words, newest first; what is not released yet has the version that is built. */
export function releases(changelog, version, today) {
  const headings = [...changelog.matchAll(/^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?/gm)];
  const found = headings.filter(([, name]) => name !== 'Unreleased').map(([, name, date]) => ({ name, date }));
  if (!found.some(({ name }) => name === version)) found.unshift({ name: version, date: today });
  const type = (name) => (name.includes('-') ? ' type="development"' : '');
  return found
    .map(({ name, date }) => `    <release version="${name}" date="${date ?? today}"${type(name)}/>`)
    .join('\n');
}

function stageMetainfo({ root, stage, version }) {
  const template = readFileSync(join(root, 'packaging/linux/metainfo.xml'), 'utf8');
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const text = template.replace(
    'RELEASES',
    releases(changelog, version, new Date().toISOString().slice(0, 10)).trimEnd(),
  );
  writeFileSync(join(stage, 'dev.outrigger.desktop.metainfo.xml'), text);
}

const compressed = (bytes) => gzipSync(bytes, { level: 9 });

/** Manual pages and completions come from the command line itself; those of the other programs are written by hand. */
function stageManual({ root, stage, programs, suffix }) {
  execFileSync(join(programs, `outrigger${suffix}`), ['manual', join(stage, 'manual')], {
    env: { ...process.env, OUTRIGGER_HOME: join(stage, 'home') },
  });
  const pages = readdirSync(join(stage, 'manual/man')).map((name) => join(stage, 'manual/man', name));
  mkdirSync(join(stage, 'man1'));
  const linux = join(root, 'packaging/linux');
  const others = readdirSync(linux).filter((name) => name.endsWith('.1'));
  for (const page of [...pages, ...others.map((name) => join(linux, name))]) {
    writeFileSync(join(stage, 'man1', `${basename(page)}.gz`), compressed(readFileSync(page)));
  }
}

/** Collects everything for `target`, whose programs are in the folder `programs`, below `stage`. */
export function stage(order) {
  rmSync(order.stage, { recursive: true, force: true });
  mkdirSync(join(order.stage, 'bin'), { recursive: true });
  stageRunners(order);
  stageProgram(order);
  // Both architectures of a Mac have the same crates.
  const found = works(order.target.replace('universal', 'aarch64'));
  const text = notices(found);
  writeFileSync(join(order.stage, 'THIRD_PARTY_NOTICES.txt'), text);
  writeFileSync(join(order.stage, 'sbom.cdx.json'), billOfMaterials(found, order.version));
  if (!order.target.includes('linux')) return;
  writeFileSync(join(order.stage, 'THIRD_PARTY_NOTICES.gz'), compressed(text));
  writeFileSync(join(order.stage, 'CHANGELOG.md.gz'), compressed(readFileSync(join(order.root, 'CHANGELOG.md'))));
  stageManual(order);
  stageMetainfo(order);
}

/** The folder of a file below the root, as the bundler's configuration has it. */
export const inConfig = (root, path) => relative(root, path).replaceAll('\\', '/');

/** Where each staged file goes in a package for Linux. */
export function linuxFiles({ root, stage }, kind) {
  const from = (path) => inConfig(root, join(stage, path));
  const pages = readdirSync(join(stage, 'man1')).map((page) => [`/usr/share/man/man1/${page}`, from(`man1/${page}`)]);
  const zsh = { deb: 'vendor-completions', rpm: 'site-functions' }[kind];
  const files = {
    '/usr/share/metainfo/dev.outrigger.desktop.metainfo.xml': from('dev.outrigger.desktop.metainfo.xml'),
    '/usr/share/bash-completion/completions/outrigger': from('manual/completions/outrigger.bash'),
    '/usr/share/fish/vendor_completions.d/outrigger.fish': from('manual/completions/outrigger.fish'),
    [`/usr/share/zsh/${zsh}/_outrigger`]: from('manual/completions/_outrigger'),
    '/usr/share/doc/outrigger/THIRD_PARTY_NOTICES.gz': from('THIRD_PARTY_NOTICES.gz'),
    '/usr/share/doc/outrigger/CHANGELOG.md.gz': from('CHANGELOG.md.gz'),
    '/usr/share/doc/outrigger/copyright': 'packaging/linux/copyright',
    ...Object.fromEntries(pages),
  };
  if (kind === 'deb') files['/usr/share/lintian/overrides/outrigger'] = 'packaging/linux/lintian-overrides';
  return files;
}
