// What stands in the replayed debug log? A few hundred lines of all sorts, one more each second; `?log=empty` has none.

import type { LogExport } from '../../protocol/LogExport';
import type { LogFilter } from '../../protocol/LogFilter';
import type { LogLevel } from '../../protocol/LogLevel';
import type { LogLine } from '../../protocol/LogLine';
import type { LogPage } from '../../protocol/LogPage';
import type { LogRequest } from '../../protocol/LogRequest';
import type { LogSource } from '../../protocol/LogSource';

const LEVELS: LogLevel[] = ['error', 'warn', 'info', 'debug', 'trace'];
/** Lines before the page was opened. */
const PAST = 640;

type Sort = [level: LogLevel, source: LogSource, session: boolean, target: string, text: string];

const sorts: Sort[] = [
  ['debug', 'app', false, 'outrigger_desktop::archive_feed', 'the archive was fed behind=0'],
  ['info', 'keeper', true, 'outrigger_keeper::pod_task', 'the turn ended turn=t-4 reason=endTurn durationMs=41230'],
  [
    'debug',
    'keeper',
    true,
    'outrigger_keeper::pod_task',
    'runner stdout: 118 × agent_event (48211 bytes), 4 × turn_progress (620 bytes)',
  ],
  ['info', 'runner', true, 'outrigger_keeper::launch', 'Loaded cached credentials.'],
  [
    'debug',
    'app',
    true,
    'outrigger_desktop::commands::feeds',
    'a page follows a session from_seq=412 window="workspace-1"',
  ],
  [
    'warn',
    'keeper',
    true,
    'outrigger_keeper::health',
    'nothing was heard from the agent for 94 s; its process waits in poll cpu=0.0',
  ],
  ['debug', 'cli', false, 'outrigger', 'doctor answered in 412 ms'],
  [
    'error',
    'runner',
    true,
    'outrigger_keeper::launch',
    'Error: 529 overloaded_error: the model is overloaded, retrying in 8 s',
  ],
  ['info', 'app', false, 'outrigger_desktop::windows', 'a window was opened workspace="~/src/oars"'],
];

const sessions = ['01a2b3c4-0001-7000-8000-00000000a001', '01a2b3c4-0002-7000-8000-00000000b002'];

/** The replayed log. */
export class ReplayLog {
  #begin = Date.now();
  #isEmpty: boolean;

  constructor(query: URLSearchParams) {
    this.#isEmpty = query.get('log') === 'empty';
  }

  read({ filter, from, direction, limit }: LogRequest): LogPage {
    const all = this.#isEmpty ? 0 : PAST + Math.floor((Date.now() - this.#begin) / 1000);
    const at = Math.min(from?.offset ?? all, all);
    const place = (offset: number) => ({ file: 'now', offset });
    const lines: LogLine[] = [];
    if (direction === 'forwards') {
      let end = at;
      for (; end < all && lines.length < limit; end++) lines.push(...this.#passing(end, filter));
      return { lines, older: at > 0 ? place(at) : null, newer: place(end), keptBytes: all * 160 };
    }
    let begin = at;
    while (begin > 0 && lines.length < limit) lines.unshift(...this.#passing(--begin, filter));
    const isMore = Array.from({ length: begin }, (_, n) => n).some((n) => this.#passing(n, filter).length > 0);
    return { lines, older: isMore ? place(begin) : null, newer: place(at), keptBytes: all * 160 };
  }

  export(filter: LogFilter, name: string): LogExport {
    const { lines } = this.read({ filter, direction: 'backwards', limit: 100_000 });
    return { path: `~/Documents/${name}`, lines: lines.length };
  }

  #passing(n: number, filter: LogFilter): LogLine[] {
    const line = this.#line(n);
    const holds = (text: string, part = '') => text.toLowerCase().includes(part.trim().toLowerCase());
    const passes =
      (filter.level === undefined || LEVELS.indexOf(line.level) <= LEVELS.indexOf(filter.level)) &&
      (!filter.sources?.length || filter.sources.includes(line.source)) &&
      (filter.session === undefined || (line.session !== null && holds(line.session, filter.session))) &&
      (holds(line.text, filter.text) || holds(line.target, filter.text) || holds(line.session ?? '', filter.text));
    return passes ? [line] : [];
  }

  #line(n: number): LogLine {
    const sort = sorts[(n * 7 + (n >> 3)) % sorts.length];
    const [level, source, isOfSession, target, text] = sort ?? ['info', 'other', false, '', ''];
    return {
      at: new Date(this.#begin - (PAST - n) * 3_700).toISOString(),
      level,
      source,
      pid: 4200 + (n % 5),
      session: isOfSession ? (sessions[n % sessions.length] ?? null) : null,
      target,
      text,
    };
  }
}
