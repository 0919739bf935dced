// What does this window show? Its workspace, its sessions, the one that is open, and what was last announced.

import { getContext, setContext } from 'svelte';
import { asWireError, type Host } from '../host/host';
import type { Item } from '../protocol/Item';
import type { ProviderChoice } from '../protocol/ProviderChoice';
import type { SessionId } from '../protocol/SessionId';
import type { SessionList } from '../protocol/SessionList';
import type { SessionSummary } from '../protocol/SessionSummary';
import type { StartSession } from '../protocol/StartSession';
import type { WindowInfo } from '../protocol/WindowInfo';
import type { WireError } from '../protocol/WireError';
import { announcementOf } from './announcements';
import { grouped, stateOf, type Row } from './session_groups';
import { SessionView } from './session_view.svelte';
import { keep, kept } from './kept';

const KEY = Symbol('workspace');

/** A window's state. */
export class Workspace {
  readonly host: Host;
  info = $state.raw<WindowInfo | null>(null);
  list = $state.raw<SessionList | null>(null);
  choices = $state.raw<ProviderChoice[] | null>(null);
  choicesError = $state.raw<WireError | null>(null);
  /** The open session, or null for the new-session view. */
  view = $state.raw<SessionView | null>(null);
  /** The last thing that a screen reader was told; the status line shows it. */
  announcement = $state('');
  doctorIsOpen = $state(false);
  sidebarIsOpen = $state(kept('sidebar', true));
  inspectorIsOpen = $state(kept('inspector', false));
  /** When each session was last looked at, in milliseconds. */
  #seen = $state<Record<string, number>>(kept('seen', {}));
  /** What happened before this window was first opened is not news, in milliseconds. */
  #newSince = kept('newSince', Date.now());

  groups = $derived(grouped(this.list?.sessions ?? []));
  /** No agent's CLI was found, so there is nothing to start but the demo. */
  isFirstRun = $derived(
    this.choices !== null && !this.choices.some((choice) => choice.available && choice.provider.needsCli),
  );

  constructor(host: Host) {
    this.host = host;
  }

  /** Asks the host for everything and opens the session that was open. */
  async begin(): Promise<void> {
    keep('newSince', this.#newSince);
    void this.refreshChoices(false);
    this.info = await this.host.windowInfo();
    document.title = `${this.info.name} - Outrigger`;
    const last = kept<SessionId | null>(this.#lastKey(), null);
    await this.host.watchSessions((list) => this.#take(list));
    if (last !== null && this.view === null) this.open(last);
  }

  /** Opens a session in the main pane. */
  open(session: SessionId): void {
    if (this.view?.session === session) return;
    this.view?.close();
    const view = new SessionView(this.host, session, (items) => this.#announce(items));
    this.view = view;
    keep(this.#lastKey(), session);
    this.see(session);
    void view.open();
  }

  /** Shows the new-session view. */
  openNew(): void {
    this.view?.close();
    this.view = null;
    keep(this.#lastKey(), undefined);
  }

  /** Starts a session and opens it. Throws a `WireError`. */
  async start(start: Omit<StartSession, 'cwd'>): Promise<void> {
    const cwd = this.info?.workspace ?? '.';
    const session = await this.host.startSession({ ...start, cwd, workspace: cwd });
    this.open(session);
  }

  /** The session before or after the open one in the list. */
  step(by: 1 | -1): void {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.summary.session === this.view?.session);
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    if (next) this.open(next.summary.session);
  }

  /** Every row of the list, top to bottom. */
  rows(): Row[] {
    return [...this.groups.values()].flat();
  }

  /** Whether something happened in a session since it was last looked at. */
  isUnread(summary: SessionSummary): boolean {
    if (summary.session === this.view?.session) return false;
    return Date.parse(summary.updatedAt) > (this.#seen[summary.session] ?? this.#newSince);
  }

  /** Marks a session as looked at. */
  see(session: SessionId): void {
    this.#seen[session] = Date.now();
    keep('seen', this.#seen);
  }

  /** Asks again which agents can be started. */
  async refreshChoices(refresh: boolean): Promise<void> {
    try {
      this.choices = await this.host.providerChoices(refresh);
      this.choicesError = null;
    } catch (thrown) {
      this.choicesError = asWireError(thrown);
    }
  }

  /** The name of a provider as people read it. */
  providerName(id: string): string {
    return this.choices?.find((choice) => choice.provider.id === id)?.provider.name ?? id;
  }

  toggleSidebar(): void {
    this.sidebarIsOpen = !this.sidebarIsOpen;
    keep('sidebar', this.sidebarIsOpen);
  }

  toggleInspector(): void {
    this.inspectorIsOpen = !this.inspectorIsOpen;
    keep('inspector', this.inspectorIsOpen);
  }

  announce(text: string): void {
    this.announcement = text;
  }

  #take(list: SessionList): void {
    const before = this.list;
    this.list = list;
    for (const summary of list.sessions) {
      const state = stateOf(summary.liveness);
      const old = before?.sessions.find((other) => other.session === summary.session);
      const isOpen = summary.session === this.view?.session;
      if (old && !isOpen && state === 'needsYou' && stateOf(old.liveness) !== 'needsYou') {
        this.announce(`${summary.title} needs you`);
      }
      if (isOpen) {
        this.view?.summarise(summary);
        if (document.visibilityState === 'visible') this.see(summary.session);
      }
    }
  }

  #announce(items: Item[]): void {
    for (const item of items) {
      const text = announcementOf(item);
      if (text !== null) this.announce(text);
    }
  }

  #lastKey(): string {
    return `open.${this.info?.workspace ?? ''}`;
  }
}

/** Makes a workspace known to the components below. */
export function provideWorkspace(workspace: Workspace): void {
  setContext(KEY, workspace);
}

/** The workspace of this window. */
export function useWorkspace(): Workspace {
  return getContext(KEY);
}
