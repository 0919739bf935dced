// What does the command palette show for these words? Actions, sessions and workspaces, the best first.

import { computeCommandScore } from 'bits-ui';
import type { Action } from '../../state/actions.svelte';
import { groupOf, GROUPS, wordFor, type Row, type SessionState } from '../../state/session_groups';
import type { SessionId } from '../../protocol/SessionId';

/** One line of the palette. */
export type Entry =
  | { type: 'action'; id: string; title: string; about: string; words: string[]; keys?: string; run: () => void }
  | { type: 'session'; id: string; title: string; about: string; state: SessionState; session: SessionId }
  | { type: 'workspace'; id: string; title: string; about: string; folder: string };

export interface Section {
  title: string;
  entries: Entry[];
}

export interface Offered {
  actions: Action[];
  rows: Row[];
  workspaces: string[];
  /** The name of a provider as people read it. */
  provider: (id: string) => string;
}

/** Lines that are shown of each section. */
const SHOWN = 30;
/** Sessions that are offered before anything is typed. */
const OFFERED = 6;

/** The sections for what was typed; the one that holds the best line comes first. */
export function sectionsFor(offered: Offered, typed: string): Section[] {
  const all = [
    { title: 'Sessions', entries: sessionEntries(offered) },
    { title: 'Actions', entries: actionEntries(offered) },
    { title: 'Workspaces', entries: workspaceEntries(offered) },
  ];
  const query = typed.trim();
  const found =
    query === ''
      ? all.map(({ title, entries }) => ({ title, best: 0, entries: title === 'Sessions' ? atRest(entries) : entries }))
      : all.map(({ title, entries }) => ({ title, ...ranked(entries, query) })).sort((a, b) => b.best - a.best);
  return found.filter(({ entries }) => entries.length > 0).map(({ title, entries }) => ({ title, entries }));
}

/** Before anything is typed: those that need the user and those that work, then the newest. */
function atRest(entries: Entry[]): Entry[] {
  return entries.slice(0, OFFERED);
}

function ranked(entries: Entry[], query: string): { entries: Entry[]; best: number } {
  const scored = entries
    .map((entry) => ({ entry, score: scoreOf(entry, query) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  return { entries: scored.slice(0, SHOWN).map(({ entry }) => entry), best: scored[0]?.score ?? 0 };
}

/** What is in the title counts most; the words beside it find it too. */
function scoreOf(entry: Entry, query: string): number {
  const others = [entry.about, ...(entry.type === 'action' ? entry.words : [])];
  const elsewhere = computeCommandScore([entry.title, ...others].join(' '), query);
  return Math.max(computeCommandScore(entry.title, query), 0.6 * elsewhere);
}

function actionEntries({ actions }: Offered): Entry[] {
  return actions.map(({ id, title, about, keys, words = [], run }) => ({
    type: 'action',
    id,
    title,
    about,
    words,
    keys,
    run,
  }));
}

function sessionEntries({ rows, provider }: Offered): Entry[] {
  return rows
    .toSorted((a, b) => GROUPS.indexOf(groupOf(a.state)) - GROUPS.indexOf(groupOf(b.state)))
    .map(({ summary, state }) => ({
      type: 'session',
      id: `session-${summary.session}`,
      title: summary.title || 'Untitled',
      about: `${provider(summary.provider)} · ${wordFor(state)}`,
      state,
      session: summary.session,
    }));
}

function workspaceEntries({ workspaces }: Offered): Entry[] {
  return workspaces.map((folder) => ({
    type: 'workspace',
    id: `workspace-${folder}`,
    title: folder.split(/[\\/]/).findLast((part) => part !== '') ?? folder,
    about: folder,
    folder,
  }));
}
