// What can be named and called in a prompt: files of the workspace, its sessions, and the agent's own commands.

import type { Host } from '../../host/host';
import type { CommandChoice } from '../../protocol/CommandChoice';
import type { SessionSummary } from '../../protocol/SessionSummary';
import { stateOf, wordFor } from '../../state/session_groups';
import { lettersIn, mentionOf, type Completion, type Trigger } from './completion';

/** Files that are offered at one time. */
const FILES = 12;
/** Sessions that are. */
const SESSIONS = 4;

/** Where completions come from. */
export interface Sources {
  host: Host;
  sessions: SessionSummary[];
  /** The session that is spoken to; it need not be named to itself. */
  own: string | null;
  commands: CommandChoice[];
}

/** What fits, the best of each sort first. */
export async function completionsFor(trigger: Trigger, sources: Sources): Promise<Completion[]> {
  if (trigger.kind === 'command') return commandsFor(trigger.typed, sources.commands);
  const { matches } = await sources.host.completeFiles(trigger.typed, FILES);
  const files = matches.map(({ path, fits }): Completion => ({
    id: `file ${path}`,
    group: 'Files',
    label: path,
    fits,
    detail: '',
    insert: mentionOf(path),
    goesOn: path.endsWith('/'),
  }));
  return [...files, ...sessionsFor(trigger.typed, sources)];
}

function commandsFor(typed: string, commands: CommandChoice[]): Completion[] {
  const fitting = commands.flatMap((command) => {
    const fits = lettersIn(command.name, typed);
    return fits ? [{ command, fits: fits.map((place) => place + 1) }] : [];
  });
  const rank = (name: string) => (name.toLowerCase().startsWith(typed.toLowerCase()) ? 0 : 1);
  fitting.sort(
    (a, b) => rank(a.command.name) - rank(b.command.name) || a.command.name.localeCompare(b.command.name, 'en'),
  );
  return fitting.map(({ command, fits }) => ({
    id: `command ${command.name}`,
    group: 'Commands',
    label: `/${command.name}${command.hint ? ` ${command.hint}` : ''}`,
    fits,
    detail: command.description ?? '',
    insert: `/${command.name}`,
    goesOn: false,
  }));
}

function sessionsFor(typed: string, { sessions, own }: Sources): Completion[] {
  const named = typed.replace(/^session:/, '').toLowerCase();
  return sessions
    .filter(({ session, title }) => session !== own && `${title} ${session}`.toLowerCase().includes(named))
    .slice(0, SESSIONS)
    .map(({ session, title, liveness }) => ({
      id: `session ${session}`,
      group: 'Sessions',
      label: title || 'Untitled',
      fits: [],
      detail: wordFor(stateOf(liveness)),
      insert: `@session:${session}`,
      goesOn: false,
    }));
}
