// Makes the packages of this system: builds the programs, collects what goes with them, has Tauri's bundler pack it all, and checks
// what came out. The packages and their checksums are then in target/packages/. `./dev bundle` sets up what it needs on Debian.
//
//   node packaging/bundle.mjs [--bundles deb,rpm] [--target TRIPLE] [--build-only | --built]
//
// With --build-only nothing is packed, with --built nothing is built: so that a workflow can build without the secrets that sign, which
// no build script of a dependency should see. What is signed when which secret is there: packaging/README.md.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkLinuxPackage } from './contents.mjs';
import * as dependencies from './dependencies.mjs';
import { inConfig, linuxFiles, stage } from './stage.mjs';
import { updaterConfig } from './updater.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const usual = { linux: 'deb,rpm', darwin: 'app,dmg', win32: 'nsis' }[process.platform];
const universal = 'universal-apple-darwin';
const suffix = process.platform === 'win32' ? '.exe' : '';
const { values: options } = parseArgs({
  options: {
    bundles: { type: 'string', default: usual },
    target: { type: 'string' },
    'build-only': { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
  },
});

const run = (command, args, more = {}) => execFileSync(command, args, { cwd: root, stdio: 'inherit', ...more });
const ask = (command, args) => execFileSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).trim();
const npx = (args, more) =>
  run(process.execPath, [join(root, 'packaging/node_modules/@tauri-apps/cli/tauri.js'), ...args], more);

const targetFolder = JSON.parse(ask('cargo', ['metadata', '--no-deps', '--format-version', '1'])).target_directory;
const programs = join(targetFolder, ...(options.target ? [options.target] : []), 'release');

/** Builds both programs in one go, so that what they share is compiled once. */
function build() {
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['run', '--silent', 'build'], {
    shell: process.platform === 'win32',
  });
  // Where updates are is compiled in. Without it nothing is set, so that the same programs are built as everywhere else.
  const config = JSON.stringify(updaterConfig({}, process.env));
  const env = config === '{}' ? process.env : { ...process.env, TAURI_CONFIG: config };
  const targets = options.target === universal ? ['aarch64-apple-darwin', 'x86_64-apple-darwin'] : [options.target];
  for (const target of targets) {
    // Tauri's word for a build that is no development build: its page comes from the program alone.
    const cargo = [
      'build',
      '--release',
      '--locked',
      '--package',
      'outrigger-cli',
      '--package',
      'outrigger-desktop',
      '--features',
      'tauri/custom-protocol',
    ];
    run('cargo', target ? [...cargo, '--target', target] : cargo, { env });
  }
  if (options.target === universal) joinArchitectures(targets);
}

function joinArchitectures(targets) {
  mkdirSync(programs, { recursive: true });
  for (const name of ['outrigger', 'outrigger-keeper', 'outrigger-toolbox', 'outrigger-desktop']) {
    run('lipo', [
      '-create',
      '-output',
      join(programs, name),
      ...targets.map((target) => join(targetFolder, target, 'release', name)),
    ]);
  }
}

/** What is added to tauri.conf.json for this package. It is not in there, because then every build would need the staged files. */
function config(order) {
  const bundle = {
    externalBin: ['outrigger', 'outrigger-keeper', 'outrigger-toolbox'].map((name) =>
      inConfig(root, join(order.stage, 'bin', name)),
    ),
    resources: { runners: null, [inConfig(root, join(order.stage, 'runners'))]: 'runners' },
  };
  if (order.target.includes('linux')) {
    const programs = ['outrigger', 'outrigger-keeper', 'outrigger-toolbox', 'outrigger-desktop'].map((name) =>
      join(order.programs, name),
    );
    bundle.linux = {
      deb: { depends: dependencies.debian(programs, join(order.stage, 'shlibdeps')), files: linuxFiles(order, 'deb') },
      rpm: { depends: dependencies.rpm(programs), files: linuxFiles(order, 'rpm') },
    };
  } else {
    bundle.resources[inConfig(root, join(order.stage, 'THIRD_PARTY_NOTICES.txt'))] = 'THIRD_PARTY_NOTICES.txt';
    Object.assign(bundle, signing(process.env));
  }
  return updaterConfig({ bundle }, process.env);
}

/** Whose name the packages carry. Programs for Macs with Apple's own processors do not start without any signature. */
function signing({ APPLE_SIGNING_IDENTITY: identity, WINDOWS_CERTIFICATE_THUMBPRINT: certificateThumbprint }) {
  if (process.platform === 'darwin') return { macOS: { signingIdentity: identity || '-' } };
  if (!certificateThumbprint) return {};
  return {
    windows: {
      certificateThumbprint,
      digestAlgorithm: 'sha256',
      timestampUrl: 'http://timestamp.digicert.com',
      tsp: true,
    },
  };
}

/** Names without capitals and blanks, as the systems' own packages have them. */
function collect(order, packages) {
  const kinds = /\.(deb|rpm|dmg|exe|AppImage|sig|tar\.gz)$/;
  rmSync(packages, { recursive: true, force: true });
  mkdirSync(packages, { recursive: true });
  const folders = options.bundles
    .split(',')
    .map((kind) => join(order.programs, 'bundle', { app: 'macos', nsis: 'nsis' }[kind] ?? kind));
  for (const folder of folders.filter((folder) => existsSync(folder))) {
    for (const file of readdirSync(folder).filter(
      (name) => kinds.test(name) && (name.includes(order.version) || name.includes('.app.')),
    )) {
      cpSync(join(folder, file), join(packages, file.replaceAll(' ', '-').replace(/^Outrigger/, 'outrigger')));
    }
  }
  const made = readdirSync(packages);
  if (made.length === 0) throw new Error(`the bundler made nothing that is kept, for ${options.bundles}`);
  cpSync(join(order.stage, 'sbom.cdx.json'), join(packages, `outrigger_${order.version}_${order.target}.cdx.json`));
  const found = readdirSync(packages).sort();
  const sums = found.map(
    (name) =>
      `${createHash('sha256')
        .update(readFileSync(join(packages, name)))
        .digest('hex')}  ${name}\n`,
  );
  writeFileSync(join(packages, 'SHA256SUMS'), sums.join(''));
  return found;
}

/** The bundler writes the dependencies on Tauri anew, as it would have them, and takes their comments along. */
function leavingCargoTomlAlone(bundle) {
  const path = join(root, 'Cargo.toml');
  const before = readFileSync(path, 'utf8');
  try {
    bundle();
  } finally {
    if (readFileSync(path, 'utf8') !== before) writeFileSync(path, before);
  }
}

function pack() {
  const target = options.target ?? ask('rustc', ['--print', 'host-tuple']);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const order = { root, stage: join(targetFolder, 'packaging'), target, programs, suffix, version };
  stage(order);
  const file = join(order.stage, 'tauri.conf.json');
  writeFileSync(file, JSON.stringify(config(order), null, 2));
  rmSync(join(programs, 'bundle'), { recursive: true, force: true });
  const more = options.target ? ['--target', options.target] : [];
  leavingCargoTomlAlone(() => npx(['bundle', '--ci', '--bundles', options.bundles, '--config', file, ...more]));
  const packages = join(targetFolder, 'packages');
  const made = collect(order, packages);
  if (target.includes('linux')) {
    for (const name of made.filter((name) => /\.(deb|rpm)$/.test(name))) checkLinuxPackage(root, join(packages, name));
  }
  console.log(`${made.map((name) => join(inConfig(root, packages), name)).join('\n')}`);
}

if (!options.built) build();
if (!options['build-only']) pack();
