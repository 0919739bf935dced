// What is said of a sidecar: where it stands, why, who shares it, and what comes next?

import type { FailedAt } from '../../protocol/FailedAt';
import type { SidecarState } from '../../protocol/SidecarState';
import type { SidecarStop } from '../../protocol/SidecarStop';
import type { SidecarView } from '../../protocol/SidecarView';
import type { TryAgain } from '../../protocol/TryAgain';
import { duration, plural } from '../../state/figures';

/** How a state is to be seen: it works, is on its way, rests, asks for an answer, has lost its connection, or does not run. */
export type Tone = 'good' | 'busy' | 'rest' | 'asks' | 'warn' | 'bad';

/** One word and what belongs to it. */
export interface Standing {
  tone: Tone;
  word: string;
  /** Empty where the word says it all. */
  more: string;
}

/** Where a sidecar comes from, and whether it waits for an answer. */
export type Group = 'asks' | 'workspace' | 'own';

export const groupTitles: Record<Group, string> = {
  asks: 'Waits for your trust',
  workspace: 'This workspace',
  own: 'Yours, in every workspace',
};

/** What stopped sidecars are said to be, by why. */
const stopWords: Record<SidecarStop, string> = {
  asked: 'until you start it',
  unused: 'nobody used it for a while; it starts with the next use',
  ended: 'it ended by itself; it starts with the next use',
  replaced: 'another one took its place',
  owner: 'it starts with the next use',
};

/** The step that failed, as it follows "failed". */
const stepWords: Record<FailedAt, string> = {
  build: 'to build',
  start: 'to start',
  connect: 'to connect',
  list: 'to list its tools',
  exit: 'and ended',
};

/** Whether and when a failed sidecar is tried again; `since` is when it failed, in milliseconds. */
export function againWords(again: TryAgain, since: number, now: number): string {
  switch (again.type) {
    case 'after': {
      const left = since + again.ms - now;
      // Whole seconds, so that the words stand still between two ticks.
      return left > 900
        ? `try ${again.attempt} in ${duration(Math.ceil(left / 1000) * 1000)}`
        : `try ${again.attempt} follows`;
    }
    case 'whenUsed':
      return 'tried again with the next use';
    case 'byHand':
      return 'not tried again by itself';
  }
}

/** Where a sidecar stands; `since` is when it came to that, in milliseconds. */
export function standing(view: SidecarView, since: number, now: number): Standing {
  if (view.error !== undefined) return { tone: 'bad', word: 'Manifest cannot be read', more: '' };
  const { trust, state } = view;
  if (trust.type === 'needed' && (state.type === 'idle' || state.type === 'stopped'))
    return { tone: 'asks', word: trust.changed ? 'Changed, needs your trust' : 'Needs your trust', more: '' };
  return stateWords(state, since, now);
}

function stateWords(state: SidecarState, since: number, now: number): Standing {
  switch (state.type) {
    case 'idle':
      return { tone: 'rest', word: 'Not started', more: 'it starts with the first use' };
    case 'building':
      return { tone: 'busy', word: 'Building', more: '' };
    case 'starting':
      return { tone: 'busy', word: 'Starting', more: '' };
    case 'connected':
      return { tone: 'good', word: 'Ready', more: plural(state.tools, 'tool') };
    case 'disconnected':
      return { tone: 'warn', word: 'Disconnected', more: state.why };
    case 'stopping':
      return { tone: 'busy', word: 'Stopping', more: '' };
    case 'failed':
      return {
        tone: 'bad',
        word: `Failed ${stepWords[state.failure.at]}`,
        more: againWords(state.again, since, now),
      };
    case 'stopped':
      return { tone: 'rest', word: 'Stopped', more: stopWords[state.why] };
  }
}

/** Who uses the same instance. */
export function shareWords(share: string): string {
  switch (share) {
    case 'machine':
      return 'One for all sessions';
    case 'workspace':
      return 'One for all sessions of a workspace';
    case 'session':
      return 'One for each session';
    default:
      return '';
  }
}

/** Whether there is, or is about to be, a process or a connection that can be stopped. */
export function isUp({ state }: SidecarView): boolean {
  switch (state.type) {
    case 'building':
    case 'starting':
    case 'connected':
    case 'disconnected':
      return true;
    case 'failed':
      return state.again.type === 'after';
    case 'idle':
    case 'stopping':
    case 'stopped':
      return false;
  }
}

/** Whether it may be started: it can be read, and the user trusts it. */
export function mayRun(view: SidecarView): boolean {
  return view.error === undefined && view.trust.type !== 'needed';
}

/** Where a sidecar is listed. `workspace` is the window's folder. */
export function groupOf(view: SidecarView, workspace: string): Group {
  if (view.trust.type === 'needed') return 'asks';
  const [folder, root] = [view.folder, `${workspace}/.outrigger/sidecars/`].map((path) => path.replaceAll('\\', '/'));
  return folder?.startsWith(root ?? '') ? 'workspace' : 'own';
}

/** Whether a sidecar is found by these words: by its name, what it is for, or a tool. */
export function fits(view: SidecarView, words: string): boolean {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const has = [view.name, view.description, ...view.tools.map(({ name }) => name)].join('\n').toLowerCase();
  return wanted.every((word) => has.includes(word));
}
