// What does this window show? Its workspace, its sessions, the ones that are open, and what was last announced.

import { getContext, setContext } from 'svelte';
import { asWireError, type Host } from '../host/host';
import type { Item } from '../protocol/Item';
import type { KnownWorkspace } from '../protocol/KnownWorkspace';
import type { PageOrder } from '../protocol/PageOrder';
import type { PermissionAsk } from '../protocol/PermissionAsk';
import type { ProviderChoice } from '../protocol/ProviderChoice';
import type { SessionId } from '../protocol/SessionId';
import type { SessionList } from '../protocol/SessionList';
import type { SessionSummary } from '../protocol/SessionSummary';
import type { StartSession } from '../protocol/StartSession';
import type { WindowInfo } from '../protocol/WindowInfo';
import type { WindowLayout } from '../protocol/WindowLayout';
import type { WireError } from '../protocol/WireError';
import { announcementOf } from './announcements';
import { grouped, stateOf, type Row } from './session_groups';
import { SessionView } from './session_view.svelte';
import { Earlier } from './earlier.svelte';
import { Inbox } from './inbox.svelte';
import { OutsideLink } from './outside_link.svelte';
import { keep, kept } from './kept';
import { Panes } from './panes.svelte';
import { Places } from './places.svelte';
import { Pods } from './pods.svelte';
import { Settings } from './settings.svelte';
import { Updates } from './updates.svelte';

const KEY = Symbol('workspace');

/** The tabs of the inspector. */
export type InspectorTab = (typeof TABS)[number];

/** An item of a session, and words that stand in it. */
export interface ItemTarget {
  session: SessionId;
  item: string;
  words: string;
}

const TABS = ['pods', 'details', 'processes', 'raw'] as const;

function isTab(name: string): name is InspectorTab {
  return (TABS as readonly string[]).includes(name);
}

/** A window's state. */
export class Workspace {
  readonly host: Host;
  info = $state.raw<WindowInfo | null>(null);
  list = $state.raw<SessionList | null>(null);
  choices = $state.raw<ProviderChoice[] | null>(null);
  choicesError = $state.raw<WireError | null>(null);
  readonly panes: Panes;
  readonly inbox: Inbox;
  readonly link: OutsideLink;
  readonly pods: Pods;
  /** The last thing that a screen reader was told; the status line shows it. */
  announcement = $state('');
  /** What stands in front of the sessions. */
  readonly places = new Places();
  readonly settings: Settings;
  readonly earlier: Earlier;
  readonly updates: Updates;
  paletteIsOpen = $state(false);
  sidebarIsOpen = $state(true);
  inspectorIsOpen = $state(false);
  inspectorTab = $state<InspectorTab>('details');
  /** Grows when the keyboard is to go to the pane in use. */
  focusWanted = $state(0);
  /** The session whose row is being dragged. */
  dragged = $state<SessionId | null>(null);
  /** When each session was last looked at, in milliseconds. */
  #seen = $state<Record<string, number>>(kept('seen', {}));
  /** What happened before this window was first opened is not news, in milliseconds. */
  #newSince = kept('newSince', Date.now());

  #known = $state.raw<KnownWorkspace[]>([]);

  groups = $derived(grouped(this.list?.sessions ?? []));
  /** No agent's CLI was found, so there is nothing to start but the demo. */
  isFirstRun = $derived(
    this.choices !== null && !this.choices.some((choice) => choice.available && choice.provider.needsCli),
  );

  constructor(host: Host) {
    this.host = host;
    this.inbox = new Inbox(host);
    this.settings = new Settings(host);
    this.earlier = new Earlier(host);
    this.updates = new Updates(host);
    this.link = new OutsideLink(host);
    this.pods = new Pods(host);
    this.panes = new Panes((session) => this.#opened(session));
    if (host.begin === null) return;
    const { info, layout, list, settings } = host.begin;
    this.settings.take(settings);
    this.list = list;
    this.#takeInfo(info, layout);
  }

  /** The session in the pane in use, or null where that offers a new one. */
  get view(): SessionView | null {
    return this.panes.view;
  }

  /** Whether something lies over the window that has keys of its own. */
  get isCovered(): boolean {
    return this.paletteIsOpen || this.inbox.isOpen || this.link.asked !== null || this.pods.question !== null;
  }

  /** Follows the list and opens the sessions that were open, as the host gave them with the page or tells them now. */
  async begin(): Promise<void> {
    keep('newSince', this.#newSince);
    let layout = this.host.begin?.layout ?? null;
    if (this.info === null) {
      const [info, told] = await Promise.all([this.host.windowInfo(), this.host.readLayout()]);
      this.#takeInfo(info, (layout = told));
    }
    const following = this.host.watchSessions((list) => this.#take(list));
    if (this.view === null && layout !== null) this.panes.restore(layout, () => true);
    await following;
  }

  /** Asks for what nobody waits for while the window draws its first picture. */
  async settleIn(): Promise<void> {
    void this.refreshChoices(false);
    void this.settings.begin();
    void this.updates.begin();
    void this.refreshWorkspaces();
    void this.earlier.look();
    await this.inbox.begin();
    await this.host.watchOrders((order) => this.#obey(order));
    this.#takeTarget();
    addEventListener('storage', this.#takeTarget);
  }

  /** Ends every feed of this window. */
  end(): void {
    this.panes.closeAll();
    this.pods.leave();
    removeEventListener('storage', this.#takeTarget);
  }

  /** Opens a session in the pane in use, or goes to the pane that shows it. */
  open(session: SessionId, place?: number): void {
    this.places.leave();
    this.panes.show(session, place);
    this.#arranged();
  }

  /** Opens a session at an item. */
  openAt({ session, item, words }: ItemTarget, beside = false): void {
    if (beside) this.openBeside(session);
    else this.open(session);
    this.panes.view?.seek(item, words);
  }

  /** Opens a session at an item in the window of its folder; that window finds in the storage what it is to show. */
  openElsewhere(folder: string, target: ItemTarget): Promise<void> {
    keep(targetKey(folder), target);
    return this.host.openWorkspace(folder);
  }

  /** Opens a session beside those that are open; null is a new one. */
  openBeside(session: SessionId | null): void {
    this.places.leave();
    this.panes.showBeside(session);
    this.#arranged();
  }

  /** Splits the window: the next session of the list that is not on the screen, or a new one. */
  split(): void {
    const next = this.rows().find((row) => this.panes.placeOf(row.summary.session) < 0);
    this.openBeside(next?.summary.session ?? null);
  }

  /** Shows the new-session view. */
  openNew(): void {
    this.places.leave();
    this.panes.clear();
    this.#arranged();
  }

  closePane(place: number): void {
    this.panes.close(place);
    this.#arranged();
  }

  closeOtherPanes(): void {
    this.panes.closeOthers();
    this.#arranged();
  }

  /** Makes a pane the one in use; `focus` takes the keyboard there too. */
  activatePane(place: number, focus = false): void {
    if (focus) this.places.leave();
    if (focus) this.focusWanted += 1;
    if (place === this.panes.active) return;
    this.panes.activate(place);
    this.#arranged();
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
    if (this.panes.placeOf(summary.session) >= 0) return false;
    return Date.parse(summary.updatedAt) > (this.#seen[summary.session] ?? this.#newSince);
  }

  /** Marks a session as looked at. */
  see(session: SessionId): void {
    this.#seen[session] = Date.now();
    keep('seen', this.#seen);
  }

  /** Marks every session as looked at. */
  seeAll(): void {
    for (const { session } of this.list?.sessions ?? []) this.#seen[session] = Date.now();
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
    this.#arranged();
  }

  toggleInspector(): void {
    this.inspectorIsOpen = !this.inspectorIsOpen;
    this.#arranged();
  }

  /** Opens the inspector at a tab. */
  inspect(tab: InspectorTab): void {
    this.places.leave();
    this.inspectorTab = tab;
    this.inspectorIsOpen = true;
    this.#arranged();
  }

  /** The folders that had a window, the one used last first, without this one. */
  otherWorkspaces(): string[] {
    return this.#known.map(({ path }) => path).filter((folder) => folder !== this.info?.workspace);
  }

  /** Asks again which folders had a window. */
  async refreshWorkspaces(): Promise<void> {
    try {
      this.#known = await this.host.knownWorkspaces();
    } catch {
      // Those that were known before are offered.
    }
  }

  announce(text: string): void {
    this.announcement = text;
  }

  #takeInfo(info: WindowInfo, layout: WindowLayout | null): void {
    this.info = info;
    document.title = `${info.name} - Outrigger`;
    this.places.begin(info.workspace);
    if (layout?.sidebar != null) this.sidebarIsOpen = layout.sidebar;
    if (layout?.inspectorTab != null && isTab(layout.inspectorTab)) this.inspectorTab = layout.inspectorTab;
    this.inspectorIsOpen = layout?.inspector ?? false;
  }

  #take(list: SessionList): void {
    const before = this.list;
    this.list = list;
    for (const summary of list.sessions) {
      const state = stateOf(summary.liveness);
      const old = before?.sessions.find((other) => other.session === summary.session);
      const view = this.panes.all[this.panes.placeOf(summary.session)]?.view;
      if (old && !view && state === 'needsYou' && stateOf(old.liveness) !== 'needsYou') {
        this.announce(`${summary.title} needs you`);
      }
      if (view) {
        view.summarise(summary);
        if (document.visibilityState === 'visible') this.see(summary.session);
      }
    }
  }

  #announce(items: Item[], asked: PermissionAsk[]): void {
    for (const { title, toolName } of asked) this.announce(`Permission needed: ${title || toolName}`);
    for (const item of items) {
      const text = announcementOf(item);
      if (text !== null) this.announce(text);
    }
  }

  #opened(session: SessionId): SessionView {
    const view = new SessionView(this.host, session, (items, asked) => this.#announce(items, asked));
    this.see(session);
    void view.open();
    return view;
  }

  /** Shows what another window wants to have shown here. */
  #takeTarget = (): void => {
    const key = targetKey(this.info?.workspace ?? '');
    const target = kept<ItemTarget | null>(key, null);
    if (target === null) return;
    keep(key, undefined);
    this.openAt(target);
  };

  #arranged(): void {
    const { inspectorIsOpen: inspector, inspectorTab, sidebarIsOpen: sidebar } = this;
    // An arrangement that could not be kept costs convenience; the next one is tried again.
    this.host.keepLayout({ ...this.panes.layout, inspector, inspectorTab, sidebar }).catch(() => undefined);
  }

  /** Shows what somebody outside of the page wants to be shown. */
  #obey(order: PageOrder): void {
    this.paletteIsOpen = false;
    this.inbox.isOpen = false;
    switch (order.type) {
      case 'openSession':
        this.open(order.session);
        this.focusWanted += 1;
        return;
      case 'openInbox':
        return this.inbox.openAt(order.session, order.requestId);
      case 'newSession':
        this.openNew();
        this.focusWanted += 1;
        return;
    }
  }
}

/** Where the window of a folder finds what another one wants it to show. */
const targetKey = (folder: string) => `target.${folder}`;

/** Makes a workspace known to the components below. */
export function provideWorkspace(workspace: Workspace): void {
  setContext(KEY, workspace);
}

/** The workspace of this window. */
export function useWorkspace(): Workspace {
  return getContext(KEY);
}
