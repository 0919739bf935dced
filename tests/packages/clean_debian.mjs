// A Debian in a folder, with nothing in it but the base system and one user. Programs in it see its files alone; the display and the bus
// that they talk to are outside, so that nothing has to be installed in it for the test's own sake.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const suite = process.env.OUTRIGGER_TEST_DEBIAN ?? 'trixie';
const user = { id: 1000, name: 'tester', home: '/home/tester' };

/** Runs to its end and gives what it printed. A failure throws with everything that was said. */
export function run(command, args, options = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status ?? signal}\n${stdout}${stderr}`);
  return stdout;
}

/** An archive of the base system, kept between runs: it takes a minute to make. */
export function base(cache) {
  const archive = join(cache, `debian-${suite}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'making-'));
  // Where this machine gets its own packages from.
  const mirror = run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian'])
    .split('\n')
    .filter((line) => !line.includes('security'))[0]
    .replace(/\/$/, '');
  run('debootstrap', ['--variant=minbase', suite, folder, mirror]);
  run('tar', ['--create', '--file', `${archive}.part`, '--directory', folder, '--one-file-system', '.']);
  run('mv', [`${archive}.part`, archive]);
  rmSync(folder, { recursive: true });
  return archive;
}

/** See the file. */
export class CleanDebian {
  /** Makes one; `cache` is a folder that is kept. */
  constructor(cache) {
    this.root = mkdtempSync(join(tmpdir(), 'outrigger-debian-'));
    run('tar', ['--extract', '--file', base(cache), '--directory', this.root]);
    // A temporary folder is its maker's alone, and the root of a system is not.
    run('chmod', ['755', this.root]);
    // How this machine reaches its mirror.
    for (const name of readdirSync('/etc/apt/apt.conf.d')) {
      const file = join('/etc/apt/apt.conf.d', name);
      if (/^\s*Acquire::/m.test(readFileSync(file, 'utf8'))) cpSync(file, join(this.root, file));
    }
    cpSync('/etc/resolv.conf', join(this.root, 'etc/resolv.conf'), { dereference: true });
    // The base system has its own device files; this is what programs expect besides.
    mkdirSync(join(this.root, 'dev/shm'), { recursive: true, mode: 0o1777 });
    run('chmod', ['1777', join(this.root, 'dev/shm')]);
    run('mount', ['-t', 'proc', 'proc', join(this.root, 'proc')]);
    // Where displays have their sockets.
    mkdirSync(join(this.root, 'tmp/.X11-unix'));
    run('mount', ['--bind', '/tmp/.X11-unix', join(this.root, 'tmp/.X11-unix')]);
    this.asRoot(['useradd', '--uid', String(user.id), '--create-home', '--shell', '/bin/bash', user.name]);
    run('install', ['-d', '-o', String(user.id), '-g', String(user.id), '-m', '700', join(this.root, this.runtime)]);
    this.asRoot(['apt-get', 'update']);
  }

  /** The user's folder for sockets. */
  get runtime() {
    return `/run/user/${user.id}`;
  }

  /** Who runs what the test starts outside, for a user who is inside. */
  get userId() {
    return user.id;
  }

  get environment() {
    return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' };
  }

  /** Runs a command as root. */
  asRoot(command) {
    return run('chroot', [this.root, ...command], { env: this.environment });
  }

  /** What a user's command is started with: nothing of this machine's environment, and what the test adds. */
  #userCommand(command, more) {
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: user.home,
      USER: user.name,
      LOGNAME: user.name,
      SHELL: '/bin/bash',
      LANG: 'C.UTF-8',
      ...more,
    };
    const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const inHome = ['sh', '-c', 'cd "$HOME" && exec "$@"', 'sh', ...command];
    return ['chroot', ['--userspec', `${user.id}:${user.id}`, this.root, '/usr/bin/env', '-i', ...words, ...inHome]];
  }

  /** Runs a command as the user, with a bare environment. */
  asUser(command, more = {}) {
    return run(...this.#userCommand(command, more));
  }

  /** Starts a command as the user and does not wait for it. */
  start(command, more = {}) {
    return spawn(...this.#userCommand(command, more), { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** Copies a file of this machine into it. */
  bring(file, to) {
    cpSync(file, join(this.root, to));
  }

  write(path, text) {
    writeFileSync(join(this.root, path), text);
  }

  read(path) {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Every path of its own file system, but what apt and dpkg note for themselves and what belongs to users. */
  files() {
    const apart = [
      './var/lib/apt',
      './var/lib/dpkg',
      './var/cache',
      './var/log',
      './home',
      './tmp',
      './run',
      './dev',
      './proc',
    ];
    const skipped = apart.flatMap((path) => ['-path', path, '-prune', '-o']);
    return new Set(
      run('find', ['.', '-xdev', ...skipped, '-print'], { cwd: this.root })
        .trim()
        .split('\n'),
    );
  }

  /** The packages that are installed. */
  packages() {
    return new Set(this.asRoot(['dpkg-query', '--show', '--showformat', '${Package}\n']).trim().split('\n'));
  }

  /** The processes that run in it, by pid and command line. */
  processes() {
    const inside = (pid) => {
      try {
        return readlinkSync(`/proc/${pid}/root`) === this.root;
      } catch {
        return false;
      }
    };
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && inside(name));
    return pids.map((pid) => ({
      pid: Number(pid),
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
    }));
  }

  /** Ends what runs in it, and removes it. */
  remove() {
    for (const { pid } of this.processes()) process.kill(pid, 'SIGKILL');
    for (const path of ['tmp/.X11-unix', 'proc']) spawnSync('umount', ['--lazy', join(this.root, path)]);
    const mounted = readFileSync('/proc/mounts', 'utf8').includes(this.root);
    if (mounted) throw new Error(`${this.root} still has something mounted in it and is left there`);
    execFileSync('rm', ['-rf', '--one-file-system', this.root]);
  }
}
