// Which conversations has the replay in the CLIs' own folders? `?earlier=` says: `offered` is a user who has not been asked yet, `shown`
// one who wants to see them. Without it there are none.

import type { EarlierList } from '../../protocol/EarlierList';
import type { EarlierSession } from '../../protocol/EarlierSession';
import type { WireError } from '../../protocol/WireError';

const titles: [string, string, string][] = [
  ['claude', 'Why does the lamp flicker at dusk?', '2026-11-18T17:20:00Z'],
  ['claude', 'Port the tide tables to the new format', '2026-11-12T09:05:00Z'],
  ['claude', 'Name the functions in oars.ts after what they do', '2026-10-30T14:44:00Z'],
  ['claude', 'Review the fog horn', '2026-10-02T08:00:00Z'],
  ['claude', 'Write the first tests', '2026-09-12T08:00:00Z'],
  ['claude', 'What is in this folder?', '2026-09-11T08:00:00Z'],
  ['codex', 'Make the winch twice as fast', '2026-11-19T20:10:00Z'],
  ['codex', 'this one cannot be read', '2026-11-01T20:10:00Z'],
];
const names: Record<string, string> = { claude: 'Claude Code', codex: 'Codex' };

/** The replayed folders. */
export class ReplayEarlier {
  #scene: string | null;
  #taken: string[] = [];

  constructor(query: URLSearchParams) {
    this.#scene = query.get('earlier');
  }

  /** `set` gives the value of a setting that the user has set, and undefined for others. */
  lists(set: (key: string) => unknown): EarlierList[] {
    if (this.#scene === null) return [];
    return Object.keys(names).map((cli) => {
      const setting = `earlier.${cli}`;
      const wanted = set(setting) ?? (this.#scene === 'shown' ? true : undefined);
      const all = titles.flatMap((row, n) => (row[0] === cli ? [session(row, n)] : []));
      return {
        cli,
        name: names[cli] ?? cli,
        folder: cli === 'claude' ? '~/.claude/projects' : '~/.codex/sessions',
        setting,
        isDecided: wanted !== undefined,
        count: cli === 'claude' ? 214 : 2,
        sessions: wanted === true ? all.filter(({ nativeSessionId }) => !this.#taken.includes(nativeSessionId)) : [],
      };
    });
  }

  /** Takes one out of the folders and gives it away. */
  take(nativeSessionId: string): EarlierSession {
    const at = titles.findIndex((_, n) => nativeId(n) === nativeSessionId);
    const row = titles[at];
    if (!row || row[1].includes('cannot be read')) {
      const message =
        'failed to read ~/.codex/sessions/2026/11/01/rollout.jsonl: permission denied. Make it readable for this user';
      throw { code: 'dataFolder', message } satisfies WireError;
    }
    this.#taken.push(nativeSessionId);
    return session(row, at);
  }
}

const nativeId = (n: number) => `0a1b2c3d-0000-4000-8000-00000000000${n}`;

function session([cli, title, updatedAt]: (typeof titles)[number], n: number): EarlierSession {
  return { cli, title, updatedAt, nativeSessionId: nativeId(n), cwd: '~/src/oars', bytes: 120_000 + 1000 * n };
}
