// What does doctor find on the pretended machine? A few agents with their runtimes, or none of them.

import type { Candidate } from '../../protocol/Candidate';
import type { DoctorReport } from '../../protocol/DoctorReport';
import type { PlaceReport } from '../../protocol/PlaceReport';
import type { ProviderChoice } from '../../protocol/ProviderChoice';
import type { ProviderReport } from '../../protocol/ProviderReport';
import type { RuntimeReport } from '../../protocol/RuntimeReport';
import { agents, choicesOf } from './people';

const path = ['~/.local/bin', '~/.cargo/bin', '~/.volta/bin', '/usr/local/bin', '/usr/bin', '/bin'].map(
  (folder, at) => ({ folder, fromLoginShell: at < 5 }),
);

function candidates(cli: string, version: string | null): Candidate[] {
  const missing = (where: string, source: Candidate['source']): Candidate => ({
    path: `${where}/${cli}`,
    source,
    version: null,
    verdict: 'missing',
    reason: 'nothing is there',
  });
  const chosen: Candidate = {
    path: `~/.local/bin/${cli}`,
    source: { type: 'loginPath' },
    version,
    verdict: 'chosen',
    reason: 'this one is used',
  };
  return [
    version === null ? missing('~/.local/bin', { type: 'loginPath' }) : chosen,
    missing('/usr/local/bin', { type: 'loginPath' }),
    missing('~/.nvm/versions/node/v22.3.0/bin', { type: 'tool', name: 'nvm' }),
    missing('/opt/homebrew/bin', { type: 'tool', name: 'homebrew' }),
  ];
}

function providerReport({ provider: info, available, note }: ProviderChoice): ProviderReport {
  const version = agents.find(([id]) => id === info.id)?.[4] ?? null;
  const cli = info.needsCli;
  const untested = available && info.id === 'opencode';
  return {
    id: info.id,
    name: info.name,
    needsCli: cli !== null,
    usable: available,
    found:
      available && cli !== null
        ? {
            path: `~/.local/bin/${cli}`,
            resolved: info.id === 'claude' ? `~/.local/share/claude/versions/${version ?? ''}` : `~/.local/bin/${cli}`,
            source: { type: 'loginPath' },
            version,
            inTestedRange: !untested,
          }
        : null,
    candidates: cli === null ? [] : candidates(cli, available ? version : null),
    warnings: untested
      ? ['1.18.2 is newer than the newest version that was tested (1.17.9); it is used all the same']
      : [],
    problem: available ? null : note,
    fix: info.installHint,
  };
}

function placeReports(): PlaceReport[] {
  const home = '~/.local/share/outrigger';
  const places: [name: string, path: string, used: number][] = [
    ['data', home, 2_310_000_000],
    ['config', '~/.config/dev.outrigger.desktop', 1_200],
    ['logs', `${home}/logs`, 31_400_000],
    ['run', '/run/user/1000/outrigger', 0],
    ['cache', '~/.cache/outrigger', 84_000],
    ['sessions', `${home}/sessions`, 1_830_000_000],
  ];
  return places.map(([name, path, usedBytes]) => ({
    name,
    path,
    writable: true,
    freeBytes: name === 'run' ? 1_600_000_000 : 81_000_000_000,
    usedBytes,
    problem: null,
  }));
}

function runtimeReport(id: string, minVersion: string, version: string | null): RuntimeReport {
  const source = { type: 'loginPath' as const };
  const where = `/usr/bin/${id}`;
  return {
    id,
    chosen: version !== null,
    minVersion,
    found: version === null ? null : { path: where, resolved: where, source, version, inTestedRange: null },
    candidates: [
      {
        path: where,
        source,
        version,
        verdict: version === null ? 'missing' : 'chosen',
        reason: version === null ? 'nothing is there' : 'this one is used',
      },
    ],
    problem: version === null ? 'not installed' : null,
    fix: version === null ? `only needed if no other runtime is there: install ${id} ${minVersion} or newer` : null,
  };
}

/** Doctor's report on the pretended machine. */
export function reportOf(found: boolean): DoctorReport {
  const choices = choicesOf(found);
  return {
    ok: found,
    version: '0.1.0',
    tookMs: 412,
    environment: {
      source: { type: 'loginShell', shell: '/bin/zsh', interactive: true, ageSeconds: null },
      workspace: '~/src/oars',
      tookMs: 180,
      pathEntries: path,
      unreadable: [],
    },
    places: placeReports(),
    settings: { path: '~/.config/dev.outrigger.desktop/settings.toml', exists: false, problem: null },
    runtimes: [
      runtimeReport('deno', '2.1', null),
      runtimeReport('node', '20', '22.11.0'),
      runtimeReport('bun', '1.2', null),
    ],
    providers: choices.map(providerReport),
    runners: choices
      .filter(({ provider: info }) => info.needsCli !== null)
      .map(({ provider: info }) => ({
        provider: info.id,
        name: info.id.endsWith('-acp') || info.id === 'gemini' || info.id === 'qwen' ? 'acp.mjs' : `${info.id}.mjs`,
        path: `/usr/lib/outrigger/runners/${info.id}.mjs`,
        tried: [],
      })),
    sandbox: { type: 'landlock', abi: 6 },
    sockets: { folder: '/run/user/1000/outrigger', count: 3 },
    manifestErrors: [],
    limits: [
      { what: 'debug log file', value: '10 MiB', then: 'the next file is started' },
      { what: 'debug log files kept', value: '7', then: 'the oldest is deleted' },
      { what: 'hits in one answer of a search', value: '500', then: 'ask for something rarer' },
      { what: 'a prompt', value: '1 MiB', then: 'it is refused; write it to a file and name that' },
    ],
  };
}
