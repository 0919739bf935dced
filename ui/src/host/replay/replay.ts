// How does the page run without the shell? On a replayed scene, in the browser alone: for tests, pictures and work on the page.
//
// `?replay=NAME` chooses the scene, `&speed=N` how fast it runs. A reload finds the sessions as they were, as it would in the shell.

import type { Attachment } from '../../protocol/Attachment';
import type { ChosenFile } from '../../protocol/ChosenFile';
import type { FeedFrame } from '../../protocol/FeedFrame';
import type { PermissionRule } from '../../protocol/PermissionRule';
import type { ProviderChoice } from '../../protocol/ProviderChoice';
import type { TreePod } from '../../protocol/TreePod';
import type { SessionId } from '../../protocol/SessionId';
import type { SessionList } from '../../protocol/SessionList';
import type { StartSession } from '../../protocol/StartSession';
import type { WireError } from '../../protocol/WireError';
import type { KnownWorkspace } from '../../protocol/KnownWorkspace';
import type { PageOrder } from '../../protocol/PageOrder';
import type { WindowLayout } from '../../protocol/WindowLayout';
import type { EarlierSession } from '../../protocol/EarlierSession';
import type { JsonValue } from '../../protocol/serde_json/JsonValue';
import type { Host } from '../host';
import { marksIn, placesIn } from '../item_words';
import { RequestReader } from '../requests';
import { searchIn } from './archive';
import { ReplayLog } from './debug_log';
import { pastUsage } from './past';
import { ReplayEarlier } from './earlier';
import { complete, keep as keepFile, looks } from './files';
import { keep, kept } from '../../state/kept';
import { listed, momentsOf, ReplayPods } from './pods';
import { processesOf } from './process_table';
import { reportOf } from './machine';
import { choicesOf } from './people';
import { ReplaySettings } from './settings_file';
import { ReplaySidecars } from './sidecars';
import { sceneOf } from './scenes';
import { noUsage } from './script';
import { replayUpdates } from './updates';
import { freshStatus, ReplaySession, ruleOf, type Kept } from './session';

const KEY = 'outrigger.replay';
const WORKSPACE = '~/src/oars';

declare global {
  interface Window {
    /** What the page asked of the world outside, for tests to look at; and agents that a test adds behind its back. */
    replayed?: {
      opened: string[];
      prompts: string[];
      agents: ProviderChoice[];
      /** Folders whose windows were asked for, and sessions that were gone to in another window. */
      folders: string[];
      refuses?: boolean;
      /** The newest session that was started. */
      started?: StartSession;
      /** What the next file dialog gives. */
      picked?: ChosenFile[];
      /** What went with the newest prompt. */
      attached?: Attachment[];
      /** The pretended owner of the tool sidecars. */
      sidecars?: ReplaySidecars;
      /** Asks the page to show something, as the tray or a link would. */
      order?: (order: PageOrder) => void;
    };
  }
}

class Replay {
  readonly found: boolean;
  readonly runtime: boolean;
  readonly pods: ReplayPods;
  #sessions = new Map<SessionId, ReplaySession>();
  #watchers: ((list: SessionList) => void)[] = [];
  #name: string;
  #speed: number;
  #feeds = 0;

  constructor(query: URLSearchParams) {
    this.#name = query.get('replay') ?? 'demo';
    this.#speed = Number(query.get('speed') ?? 1) || 1;
    const scene = sceneOf(this.#name);
    this.found = scene.found;
    this.runtime = scene.runtime ?? true;
    const kept = this.#kept();
    const trees = sessionStorage.getItem(`${KEY}.${this.#name}.pods`);
    this.pods = new ReplayPods(trees === null ? (scene.trees ?? []) : (JSON.parse(trees) as TreePod[]));
    for (const session of scene.sessions) {
      const { older, ...state } = session;
      this.#add(kept?.find((other) => other.summary.session === state.summary.session) ?? state, older);
    }
    for (const state of kept ?? []) if (!this.#sessions.has(state.summary.session)) this.#add(state);
    addEventListener('pagehide', () => this.#keep());
    window.replayed = { opened: [], prompts: [], agents: [], folders: [] };
  }

  watch(on: (list: SessionList) => void): void {
    this.#watchers.push(on);
    on(this.#list());
  }

  get(id: SessionId): ReplaySession {
    const session = this.#sessions.get(id);
    if (!session) throw fails('noSuchSession', `There is no session ${id} in this scene.`);
    return session;
  }

  /** Every session with the items of its journal. */
  all(): { summary: Kept['summary']; items: Kept['items'] }[] {
    return [...this.#sessions.values()].map(({ state }) => ({ summary: state.summary, items: state.items }));
  }

  start(start: StartSession): SessionId {
    if (start.prompt?.includes('demo:exit-at-once')) {
      throw fails(
        'runnerFailed',
        'The demo agent ended before it said that it was ready (status 3). Open doctor to see what was tried.',
      );
    }
    const id = `s-${this.#sessions.size + 1}`;
    const { parent } = start;
    const rules = parent === undefined ? null : this.pods.spawn(id, start);
    if (parent !== undefined) {
      const { name = '', provider, prompt: task = '' } = start;
      this.get(parent).tell({ type: 'pod', session: id, name, provider, task, rules });
    }
    if (window.replayed) window.replayed.started = start;
    const at = new Date().toISOString();
    const summary = {
      session: id,
      provider: start.provider,
      workspace: start.cwd,
      cwd: start.cwd,
      title: start.name ?? start.prompt?.split('\n')[0]?.slice(0, 80) ?? 'New session',
      parent: parent ?? null,
      createdAt: at,
      updatedAt: at,
      model: start.model ?? null,
      nativeSessionId: null,
      usage: noUsage,
      liveness: { type: 'live' as const, state: { type: 'idle' as const }, waiting: 0, queued: 0 },
    };
    const status = { ...freshStatus(summary), permissionMode: start.permissionMode ?? 'ask' };
    const session = this.#add({ summary, status, items: [], live: [], seq: 0, steps: [], turns: 0 });
    if (start.prompt) session.prompt(start.prompt, 'reject', start.attachments);
    return id;
  }

  /** A conversation of a CLI becomes a session that has ended. */
  takeIn({ cli, title, cwd, updatedAt, nativeSessionId }: EarlierSession): SessionId {
    const id = `s-${this.#sessions.size + 1}`;
    const summary = {
      session: id,
      provider: cli,
      workspace: cwd,
      cwd,
      title,
      parent: null,
      createdAt: updatedAt,
      updatedAt,
      model: null,
      nativeSessionId,
      usage: noUsage,
      liveness: { type: 'ended' as const, outcome: 'done' as const, at: updatedAt },
    };
    const session = this.#add({ summary, status: null, items: [], live: [], seq: 0, steps: [], turns: 0 });
    session.tell({ type: 'userMessage', text: title, delivery: 'prompt', from: null, attachments: [] });
    session.tell({ type: 'agentMessage', text: 'It was the mirror.', open: false });
    return id;
  }

  follow(id: SessionId, fromSeq: number, on: (frame: FeedFrame) => void) {
    const feed = ++this.#feeds;
    const session = this.get(id);
    session.follow(feed, fromSeq, on);
    return { credit: (frame: number) => session.credit(feed, frame), close: () => session.unfollow(feed) };
  }

  #add(state: Kept, older?: ConstructorParameters<typeof ReplaySession>[3]): ReplaySession {
    const session = new ReplaySession(state, this.#speed, () => this.#tell(), older);
    this.#sessions.set(state.summary.session, session);
    return session;
  }

  #list(): SessionList {
    const sessions = [...this.#sessions.values()].map((session) => session.state.summary);
    const live = sessions.flatMap(({ liveness }) => (liveness.type === 'live' ? [liveness] : []));
    return {
      sessions: structuredClone(sessions.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))),
      working: live.filter((liveness) => liveness.state.type === 'working' && liveness.waiting === 0).length,
      waiting: live.reduce((sum, liveness) => sum + liveness.waiting, 0),
    };
  }

  #tell(): void {
    const list = this.#list();
    for (const on of this.#watchers) on(list);
  }

  #keep(): void {
    const states = [...this.#sessions.values()].map((session) => session.state);
    sessionStorage.setItem(`${KEY}.${this.#name}`, JSON.stringify(states));
    sessionStorage.setItem(`${KEY}.${this.#name}.pods`, JSON.stringify(this.pods.pods));
  }

  #kept(): Kept[] | null {
    const text = sessionStorage.getItem(`${KEY}.${this.#name}`);
    return text === null ? null : (JSON.parse(text) as Kept[]);
  }
}

function fails(code: WireError['code'], message: string): WireError {
  return { code, message };
}

function knownAs(path: string): KnownWorkspace {
  return { path, name: path.split('/').at(-1) ?? path, isOpen: path === WORKSPACE, live: 0 };
}

/** The replayed host. */
export function replayHost(query: URLSearchParams): Host {
  const replay = new Replay(query);
  const log = new ReplayLog(query);
  const settings = new ReplaySettings(query.get('settings') === 'broken');
  const earlier = new ReplayEarlier(query);
  const sidecars = new ReplaySidecars(query.get('replay') ?? '', query);
  if (window.replayed) window.replayed.sidecars = sidecars;
  let rules: PermissionRule[] = [];
  /** Answers come later, as they do over a real boundary, and as copies. */
  const later = async <T>(answer: () => T): Promise<T> => {
    await Promise.resolve();
    const value = answer();
    return value === undefined ? value : structuredClone(value);
  };
  const answer: Host['answer'] = (id, { requestId, outcome, message, always }) =>
    later(() => {
      if (window.replayed?.refuses || !replay.get(id).answer(requestId, outcome, message ?? null, always)) {
        throw fails('notPending', 'This request has been answered already.');
      }
      if (always === 'workspace') rules = [...rules, ruleOf('workspace')];
    });
  return {
    pageShown: () => later(() => undefined),
    begin: null,
    windowInfo: () => later(() => ({ workspace: WORKSPACE, name: 'oars', branch: 'main', version: '0.1.0' })),
    watchSessions: async (on) => replay.watch(on),
    watchRequests: async (on) => {
      const reader = new RequestReader((id) => later(() => replay.get(id).state.status), on);
      replay.watch((list) => void reader.take(list));
    },
    answerRequest: (id, params) => answer(id, params),
    goToSession: (id) => later(() => void window.replayed?.folders.push(id)),
    watchOrders: async (on) => {
      if (window.replayed) window.replayed.order = on;
    },
    isNotified: (id) => later(() => !kept<string[]>('muted', []).includes(id)),
    setNotified: (id, notified) =>
      later(() => {
        const others = kept<string[]>('muted', []).filter((other) => other !== id);
        keep('muted', notified ? others : [...others, id]);
      }),
    readLayout: () => later(() => kept<WindowLayout | null>(`layout.${WORKSPACE}`, null)),
    keepLayout: (layout) => later(() => keep(`layout.${WORKSPACE}`, layout)),
    providerChoices: () =>
      later(() => [...choicesOf(replay.found, replay.runtime), ...(window.replayed?.agents ?? [])]),
    search: (request) => later(() => searchIn(replay.all(), request, query)),
    usage: (request) => later(() => pastUsage(request, query)),
    placeOfItem: (id, item) => later(() => replay.get(id).placeOf(item)),
    readLog: (request) => later(() => log.read(request)),
    exportLog: (filter, name) => later(() => log.export(filter, name)),
    doctor: () => later(() => reportOf(replay.found)),
    setCliPath: () =>
      later(() => {
        throw fails('cliUnavailable', 'No program can be started at that path.');
      }),
    startSession: (start) => later(() => replay.start(start)),
    openSession: (id) =>
      later(() => {
        const session = replay.get(id);
        return {
          session: id,
          summary: session.state.summary,
          status: session.state.status,
          page: session.page(null, 100),
          damage: session.state.damage ?? [],
        };
      }),
    readItems: (id, from, limit) => later(() => replay.get(id).page(from, limit)),
    findItems: (id, words, from, limit) => later(() => placesIn(replay.get(id).page(from, limit), words)),
    readMarks: (id, from, limit) => later(() => marksIn(replay.get(id).page(from, limit))),
    followSession: async (id, fromSeq, on) => replay.follow(id, fromSeq, on),
    prompt: (id, params) =>
      later(() => {
        window.replayed?.prompts.push(params.text);
        if (params.text.includes('demo:reject'))
          throw fails('unreachable', 'The keeper of this session does not answer. Your words are kept; try again.');
        if (window.replayed) window.replayed.attached = params.attachments;
        const taken = replay.get(id).prompt(params.text, params.ifBusy, params.attachments);
        return { taken, promptId: `p-${Date.now()}` };
      }),
    editQueued: (id, promptId, text) => later(() => replay.get(id).editQueued(promptId, text)),
    goOn: (id) => later(() => replay.get(id).goOn()),
    completeFiles: (typed, limit) => later(() => complete(typed, limit)),
    pickFiles: () => later(() => window.replayed?.picked ?? []),
    keepFile: (name, data) => later(() => keepFile(name, data)),
    previewFile: (path) => later(() => looks(path)),
    attachedImage: (_id, blob) => later(() => looks(blob)),
    workspaceRules: () => later(() => rules),
    forgetWorkspaceRule: (rule) => later(() => void (rules = rules.filter(({ id }) => id !== rule))),
    forgetRule: (id, rule) => later(() => replay.get(id).forgetRule(rule)),
    setPolicy: (id, policy) => later(() => replay.get(id).setPolicy(policy)),
    unqueue: (id, promptId) => later(() => replay.get(id).unqueue(promptId)),
    answer,
    interrupt: (id) => later(() => replay.get(id).interrupt()),
    stop: (id) =>
      later(() => {
        replay.get(id).stop('stopped');
        return { outcome: 'stopped' as const, survivors: [] };
      }),
    setSession: (id, model, permissionMode) => later(() => replay.get(id).set(model, permissionMode)),
    readRecords: (id) =>
      later(() =>
        replay
          .get(id)
          .state.items.slice(-50)
          .map((item) => ({ seq: item.seq, type: 'agent', event: item.body }) as unknown as JsonValue),
      ),
    processes: (id) => later(() => (replay.get(id).state.status ? processesOf(id, Date.now()) : [])),
    podTree: (id) => later(() => replay.pods.tree(id)),
    watchPods: async (id, on) => replay.pods.watch(id, on),
    podMoments: (id) =>
      later(() => {
        const { items } = replay.get(id).state;
        return { moments: momentsOf(items), next: 0, cut: false };
      }),
    setBudget: (id, budget) =>
      later(() => {
        if (window.replayed?.refuses) throw fails('dataFolder', 'The ledger cannot be written: the disk is full.');
        replay.pods.setBudget(id, budget);
        replay.get(id).tell({ type: 'notice', level: 'info', code: 'budget', text: 'The budget is another one now.' });
      }),
    stopTree: (id, itself) =>
      later(() => {
        for (const pod of replay.pods.ending(id, itself)) {
          replay.pods.end(pod);
          replay.get(pod).stop('stopped');
        }
      }),
    whoMayWrite: (path) => later(() => replay.pods.whoMayWrite(path)),
    listFolder: (path) =>
      later(() => {
        const names = listed(path);
        return { names, total: names.length };
      }),
    watchSidecars: async (on) => sidecars.watch(on),
    startSidecar: (name) => later(() => sidecars.start(name)),
    restartSidecar: (name) => later(() => sidecars.start(name)),
    stopSidecar: (name) => sidecars.stop(name),
    trustSidecar: (name, hash, trusted) => later(() => sidecars.trust(name, hash, trusted)),
    sidecarLog: (name) => later(() => sidecars.log(name)),
    callSidecar: async (call, on) => sidecars.call(call, on),
    importableServers: () => later(() => sidecars.imports()),
    importServers: (ids) => later(() => sidecars.import(ids)),
    ...replayUpdates(query),
    earlierSessions: () => later(() => earlier.lists((key) => settings.set(key))),
    takeInSession: (_cli, id) => later(() => replay.takeIn(earlier.take(id))),
    readSettings: () => later(() => settings.view),
    writeSetting: (key, value) => later(() => settings.write(key, value)),
    watchSettings: async (on) => settings.watch(on),
    pickFolder: () => later(() => null),
    openWorkspace: (path) => later(() => void window.replayed?.folders.push(path)),
    knownWorkspaces: () => later(() => kept<string[]>('workspaces', [WORKSPACE]).map(knownAs)),
    openLogs: () => later(() => undefined),
    openUrl: (url) => later(() => void window.replayed?.opened.push(url)),
  };
}
