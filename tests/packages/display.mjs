// A display without a screen and a session bus without any program of its own, for an app in another root.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from './clean_debian.mjs';

/** Waits until `look` gives something, and gives it; throws after `seconds` with what it waited for. */
export async function until(what, look, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`${seconds} s are over: ${what}`);
    await pause(100);
  }
}

function firstLine(child, what) {
  return new Promise((resolve, reject) => {
    child.stdout.once('data', (bytes) => resolve(bytes.toString().trim().split('\n')[0]));
    child.once('exit', (code) => reject(new Error(`${what} ended with ${code}`)));
    child.once('error', reject);
  });
}

/** See the file. */
export class Display {
  /** Starts both for the user of a Debian. */
  static async for(debian) {
    const server = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x800x24', '-nolisten', 'tcp', '-ac'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const name = `:${await firstLine(server, 'Xvfb')}`;
    const socket = `${debian.runtime}/bus`;
    // No folder of services: nothing of this machine is started.
    const rules =
      '<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>';
    const config = join(debian.root, 'tmp/bus.conf');
    const listen = `<listen>unix:path=${join(debian.root, socket)}</listen>`;
    writeFileSync(config, `<busconfig><type>session</type>${listen}${rules}</busconfig>`);
    const as = ['--reuid', debian.userId, '--regid', debian.userId, '--clear-groups'].map(String);
    const bus = spawn('setpriv', [...as, 'dbus-daemon', '--config-file', config, '--nofork', '--print-address'], {
      // What it says of a failure belongs to the failure.
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await firstLine(bus, 'dbus-daemon').catch((error) => {
      server.kill();
      throw error;
    });
    return new Display(debian, name, socket, as, [bus, server]);
  }

  constructor(debian, name, socket, as, children) {
    Object.assign(this, { debian, name, socket, as, children });
  }

  /** What an app inside is told about them, and nothing else. */
  get environment() {
    const { name, socket, debian } = this;
    return { DISPLAY: name, DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}`, XDG_RUNTIME_DIR: debian.runtime };
  }

  /** The windows by their titles. */
  windows() {
    const tree = run('xwininfo', ['-display', this.name, '-root', '-tree']);
    return [...tree.matchAll(/"([^"]+)": \("outrigger-desktop"/g)].map(([, title]) => title);
  }

  /** Writes what is on the display as a PNG. */
  picture(file) {
    run('import', ['-display', this.name, '-window', 'root', file]);
  }

  /** The tray's menu, as a desktop sees it; clicks on the entry that has the words, if there are any. */
  tray(...words) {
    const host = fileURLToPath(new URL('tray_host.py', import.meta.url));
    const env = {
      PATH: process.env.PATH,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(this.debian.root, this.socket)}`,
    };
    return run('setpriv', [...this.as, '/usr/bin/python3', '-', ...words], {
      env,
      input: run('cat', [host]),
    })
      .trim()
      .split('\n');
  }

  end() {
    for (const child of this.children) child.kill('SIGKILL');
  }
}
