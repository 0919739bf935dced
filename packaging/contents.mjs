// Is a package what it should be? Holds its files against packaging/linux/contents.txt, unpacks it, and asks the programs inside
// whether they find what lies beside them. The checkers of Debian and of freedesktop are used where they are installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const read = (command, args) => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
const installed = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** The files of a package, with their whole paths. */
function filesOf(path) {
  if (path.endsWith('.rpm'))
    return read('rpm', ['--query', '--list', '--package', '--nosignature', path]).trim().split('\n');
  const lines = read('dpkg-deb', ['--contents', path]).trim().split('\n');
  return lines
    .filter((line) => !line.startsWith('d'))
    .map((line) => line.replace(/^(\S+\s+){5}/, '').replace(/^\.?\/?/, '/'));
}

function pattern(line) {
  const escaped = line.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('**', '\0').replaceAll('*', '[^/]+').replaceAll('\0', '.+')}$`);
}

/** What is wrong with a list of files: those that fit no line, and lines that no file fits. */
export function differences(files, contents, kind) {
  const lines = contents.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const wanted = lines
    .filter((line) => line.startsWith('/') || line.startsWith(`${kind}: `))
    .map((line) => line.replace(/^\w+: /, ''));
  const patterns = wanted.map((line) => ({ line, fits: pattern(line) }));
  const extra = files.filter(
    (file) => !patterns.some(({ fits }) => fits.test(file)) || /\.test\.|\/testing\//.test(file),
  );
  const missing = patterns.filter(({ fits }) => !files.some((file) => fits.test(file))).map(({ line }) => line);
  return [...extra.map((file) => `is not on the list: ${file}`), ...missing.map((line) => `is missing: ${line}`)];
}

function unpack(path, folder) {
  if (path.endsWith('.deb')) return execFileSync('dpkg-deb', ['--extract', path, folder]);
  return execFileSync('sh', ['-c', 'rpm2archive - <"$1" | tar --extract --gzip --directory "$2"', 'sh', path, folder]);
}

/** A line for each thing that a checker does not like. A checker that is not installed likes everything. */
function checked(name, args) {
  if (!installed(name)) {
    console.log(`  ${name} is not installed and was not asked`);
    return [];
  }
  const { status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  const words = `${stdout}${stderr}`.trim();
  return status === 0 && !/^[EW]:/m.test(words) ? [] : [`${name}: ${words}`];
}

/** What the programs inside of an unpacked package say of what lies beside them. */
function programsFind(folder) {
  const home = mkdtempSync(join(tmpdir(), 'outrigger-home-'));
  try {
    const program = join(folder, 'usr/bin/outrigger');
    const env = { PATH: '/usr/bin:/bin', HOME: home, OUTRIGGER_HOME: home };
    const { stdout, stderr } = spawnSync(program, ['doctor', '--json'], { env, encoding: 'utf8' });
    const runners = join(folder, 'usr/lib/Outrigger/runners');
    const found = stdout.includes(`${runners}/claude.mjs`) && stdout.includes(`${runners}/acp.mjs`);
    return found
      ? []
      : [`the command line does not find the runners in ${runners}: ${stderr || stdout.slice(0, 2000)}`];
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** Throws where a package for Linux is not as it should be. */
export function checkLinuxPackage(root, path) {
  const kind = path.endsWith('.deb') ? 'deb' : 'rpm';
  const contents = readFileSync(join(root, 'packaging/linux/contents.txt'), 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-package-'));
  console.log(`checking ${basename(path)}`);
  try {
    unpack(path, folder);
    const applications = join(folder, 'usr/share/applications');
    const wrong = [
      ...differences(filesOf(path), contents, kind),
      ...programsFind(folder),
      ...checked('desktop-file-validate', [
        join(applications, 'Outrigger.desktop'),
        join(applications, 'outrigger-link.desktop'),
      ]),
      ...checked('appstreamcli', [
        'validate',
        '--no-net',
        join(folder, 'usr/share/metainfo/dev.outrigger.desktop.metainfo.xml'),
      ]),
      ...(kind === 'deb'
        ? checked('lintian', ['--fail-on', 'error,warning', '--tag-display-limit', '0', '--allow-root', path])
        : []),
    ];
    if (wrong.length > 0) throw new Error(`${basename(path)} is not as it should be:\n${wrong.join('\n')}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
