// The command line as a later version: these sources with another version number, and with a protocol between keepers and their readers
// that is newer by one and still speaks today's. Built in a folder of its own, so that today's programs stay as they are; a few minutes
// the first time, then what has changed.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const newerVersion = '99.0.0';
/** What a session is started and kept by; they are always of one version. */
export const programs = ['outrigger', 'outrigger-keeper'];

/** What makes the sources those of a later version. */
const changes = {
  'Cargo.toml': (text) => replaced(text, /^version = "[^"]+"$/m, `version = "${newerVersion}"`),
  'src-tauri/crates/protocol/src/pod.rs': (text) =>
    replaced(
      text,
      /^pub const POD_PROTOCOL: u32 = (\d+);$/m,
      (_, version) => `pub const POD_PROTOCOL: u32 = ${Number(version) + 1};`,
    ),
};

function replaced(text, pattern, by) {
  const made = text.replace(pattern, by);
  if (made === text) throw new Error(`${pattern} is nowhere in the sources any more`);
  return made;
}

/** A file is touched only when it is another one, so that it is compiled again only then. */
function copy(path, to) {
  const change = changes[path];
  mkdirSync(dirname(to), { recursive: true });
  if (!change) {
    const [from, there] = [statSync(join(root, path)), existsSync(to) ? statSync(to) : null];
    if (there?.size !== from.size || there.mtimeMs !== from.mtimeMs)
      cpSync(join(root, path), to, { preserveTimestamps: true });
    return;
  }
  const text = change(readFileSync(join(root, path), 'utf8'));
  if (!existsSync(to) || readFileSync(to, 'utf8') !== text) writeFileSync(to, text);
}

/** Builds it below `cache` and gives the folder of its programs. */
export function buildNewer(cache) {
  const source = join(cache, 'source');
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const wanted = listed.split('\0').filter((path) => /\.(rs|toml|lock)$|^templates\/|^tests\/(src|tests)\//.test(path));
  for (const path of wanted) if (existsSync(join(root, path))) copy(path, join(source, path));
  const build = join(cache, 'build');
  execFileSync('cargo', ['build', '--quiet', '--package', 'outrigger-cli', '--target-dir', build], {
    cwd: source,
    stdio: ['ignore', 'inherit', 'inherit'],
    // It runs and is not looked into.
    env: { ...process.env, CARGO_PROFILE_DEV_DEBUG: '0', CARGO_PROFILE_DEV_STRIP: 'true' },
  });
  return join(build, 'debug');
}
