// Which packages do the programs need? Asked of the programs themselves, so that versions and libraries are right for the system that
// they were built on, and nothing is pulled in that they do not load. The bundler adds the library of the tray, which is opened while the
// app runs and so is named by no program.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The packages of Debian with their least versions, for the given programs. */
export function debian(programs, folder) {
  mkdirSync(join(folder, 'debian'), { recursive: true });
  // The tool looks for the sources of a package around it.
  writeFileSync(join(folder, 'debian/control'), 'Source: outrigger\n\nPackage: outrigger\nArchitecture: any\n');
  const words = execFileSync('dpkg-shlibdeps', ['-O', ...programs.map((program) => `-e${program}`)], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const list = words.match(/^shlibs:Depends=(.*)$/m)?.[1];
  if (!list) throw new Error(`dpkg-shlibdeps named no packages for ${programs.join(', ')}: ${words}`);
  return list.split(', ');
}

/** The libraries as RPM names them, which is the same on all systems that use it, and the least version of the C library. */
export function rpm(programs) {
  const words = programs.map((program) =>
    execFileSync('objdump', ['--private-headers', program], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }),
  );
  return librariesOf(words.join('\n'));
}

/** The same, from what objdump said. */
export function librariesOf(words) {
  const libraries = [...words.matchAll(/^\s+NEEDED\s+(\S+)/gm)].map(([, library]) => library);
  const versions = [...words.matchAll(/ GLIBC_2\.(\d+)\b/g)].map(([, minor]) => Number(minor));
  const needed = libraries.filter((library) => !library.startsWith('ld-linux')).map((library) => `${library}()(64bit)`);
  if (versions.length > 0) needed.push(`libc.so.6(GLIBC_2.${Math.max(...versions)})(64bit)`);
  return [...new Set(needed)];
}
