// How does the page reach the shell? One command per call, and one channel per feed. Nothing else imports `@tauri-apps`.

import { Channel, invoke } from '@tauri-apps/api/core';
import type { FeedFrame } from '../protocol/FeedFrame';
import type { PageBegin } from '../protocol/PageBegin';
import type { PageOrder } from '../protocol/PageOrder';
import type { PodTree } from '../protocol/PodTree';
import type { SessionList } from '../protocol/SessionList';
import type { SettingsView } from '../protocol/SettingsView';
import type { SidecarCallFrame } from '../protocol/SidecarCallFrame';
import type { SidecarsFrame } from '../protocol/SidecarsFrame';
import type { UpdateView } from '../protocol/UpdateView';
import type { WaitingRequest } from '../protocol/WaitingRequest';
import type { Host } from './host';

/** Whether the page runs inside the shell. */
export function insideShell(): boolean {
  return '__TAURI_INTERNALS__' in window;
}

function channelTo<T>(on: (message: T) => void): Channel<T> {
  const channel = new Channel<T>();
  channel.onmessage = on;
  return channel;
}

/** Opens a feed that is ended by its number; gives what ends it. */
async function feedOf<T>(
  command: string,
  about: Record<string, unknown>,
  on: (message: T) => void,
): Promise<() => void> {
  let open = true;
  const channel = channelTo<T>((message) => open && on(message));
  const feed = await invoke<number>(command, { ...about, channel });
  return () => {
    open = false;
    void invoke('unfollow', { feed }).catch(() => undefined);
  };
}

/** The credits of all feeds that become due in one task of the page, returned together: each call costs the page and the shell more than a frame does. */
class Credits {
  #due = new Map<number, number>();

  add(feed: number, frame: number): void {
    if (this.#due.size === 0) setTimeout(() => this.#give());
    this.#due.set(feed, frame);
  }

  #give(): void {
    const credits = [...this.#due];
    this.#due.clear();
    // A feed that ended meanwhile needs no credit; its end is told by its own frame.
    void invoke('feed_credits', { credits }).catch(() => undefined);
  }
}

/** What the shell put into the document. In development the document comes from elsewhere and has nothing. */
function givenWithPage(): PageBegin | null {
  const given = document.getElementById('begin')?.textContent;
  return given == null ? null : (JSON.parse(given) as PageBegin);
}

/** The host that talks to the shell. */
export function tauriHost(): Host {
  const credits = new Credits();
  return {
    begin: givenWithPage(),
    windowInfo: () => invoke('window_info'),
    pageShown: () => invoke('page_shown'),
    watchSessions: (on) => invoke('watch_sessions', { channel: channelTo<SessionList>(on) }),
    watchRequests: (on) => invoke('watch_requests', { channel: channelTo<WaitingRequest[]>(on) }),
    answerRequest: (session, params) => invoke('answer_request', { session, params }),
    goToSession: (session) => invoke('go_to_session', { session }),
    watchOrders: (on) => invoke('watch_orders', { channel: channelTo<PageOrder>(on) }),
    isNotified: (session) => invoke('is_notified', { session }),
    setNotified: (session, notified) => invoke('set_notified', { session, notified }),
    readLayout: () => invoke('read_layout'),
    keepLayout: (layout) => invoke('keep_layout', { layout }),
    providerChoices: (refresh) => invoke('provider_choices', { refresh }),
    search: (request) => invoke('search', { request }),
    usage: (request) => invoke('usage', { request }),
    placeOfItem: (session, item) => invoke('place_of_item', { session, item }),
    readLog: (request) => invoke('read_log', { request }),
    exportLog: (filter, name) => invoke('export_log', { filter, name }),
    doctor: (refresh) => invoke('doctor', { refresh }),
    setCliPath: (provider, path) => invoke('set_cli_path', { provider, path }),
    startSession: (start) => invoke('start_session', { start }),
    openSession: (session) => invoke('open_session', { session }),
    readItems: (session, from, limit) => invoke('read_items', { session, from, limit }),
    findItems: (session, words, from, limit) => invoke('find_items', { session, words, from, limit }),
    readMarks: (session, from, limit) => invoke('read_marks', { session, from, limit }),
    followSession: async (session, fromSeq, on) => {
      const channel = new Channel<FeedFrame>();
      let open = true;
      channel.onmessage = (frame) => {
        if (open) on(frame);
      };
      const feed = await invoke<number>('follow_session', { session, fromSeq, channel });
      return {
        credit: (frame) => credits.add(feed, frame),
        close: () => {
          open = false;
          void invoke('unfollow', { feed }).catch(() => undefined);
        },
      };
    },
    prompt: (session, params) => invoke('prompt', { session, params }),
    unqueue: (session, promptId) => invoke('unqueue', { session, promptId }),
    editQueued: (session, promptId, text) => invoke('edit_queued', { session, promptId, text }),
    goOn: (session) => invoke('go_on', { session }),
    completeFiles: (typed, limit) => invoke('complete_files', { typed, limit }),
    pickFiles: () => invoke('pick_files'),
    keepFile: (name, data) => invoke('keep_file', { name, data }),
    previewFile: (path) => invoke('preview_file', { path }),
    attachedImage: (session, blob) => invoke('attached_image', { session, blob }),
    workspaceRules: () => invoke('workspace_rules'),
    forgetWorkspaceRule: (rule) => invoke('forget_workspace_rule', { rule }),
    forgetRule: (session, rule) => invoke('forget_rule', { session, rule }),
    setPolicy: (session, policy) => invoke('set_policy', { session, policy }),
    answer: (session, params) => invoke('answer', { session, params }),
    interrupt: (session) => invoke('interrupt', { session }),
    stop: (session, force) => invoke('stop', { session, force }),
    setSession: (session, model, permissionMode) => invoke('set_session', { session, model, permissionMode }),
    readRecords: (session, fromSeq, limit, direction) => invoke('read_records', { session, fromSeq, limit, direction }),
    processes: (session) => invoke('processes', { session }),
    podTree: (session) => invoke('pod_tree', { session }),
    watchPods: (session, on) => feedOf<PodTree>('watch_pods', { session }, on),
    podMoments: (session, from) => invoke('pod_moments', { session, from }),
    setBudget: (session, budget) => invoke('set_budget', { session, budget }),
    stopTree: (session, itself) => invoke('stop_tree', { session, itself }),
    whoMayWrite: (path) => invoke('who_may_write', { path }),
    listFolder: (path) => invoke('list_folder', { path }),
    watchSidecars: (on) => feedOf<SidecarsFrame>('watch_sidecars', {}, on),
    startSidecar: (name) => invoke('start_sidecar', { name }),
    stopSidecar: (name) => invoke('stop_sidecar', { name }),
    restartSidecar: (name) => invoke('restart_sidecar', { name }),
    trustSidecar: (name, hash, trusted) => invoke('trust_sidecar', { name, hash, trusted }),
    sidecarLog: (name) => invoke('sidecar_log', { name }),
    callSidecar: ({ sidecar, tool, arguments: given }, on) =>
      feedOf<SidecarCallFrame>('call_sidecar', { sidecar, tool, arguments: given }, on),
    importableServers: () => invoke('importable_servers'),
    importServers: (ids) => invoke('import_servers', { ids }),
    readSettings: () => invoke('read_settings'),
    writeSetting: (key, value) => invoke('write_setting', { key, value }),
    earlierSessions: () => invoke('earlier_sessions'),
    takeInSession: (cli, nativeSessionId) => invoke('take_in_session', { cli, nativeSessionId }),
    watchUpdates: (on) => invoke('watch_updates', { channel: channelTo<UpdateView>(on) }),
    lookForUpdates: () => invoke('look_for_updates'),
    installUpdate: () => invoke('install_update'),
    watchSettings: (on) => invoke('watch_settings', { channel: channelTo<SettingsView>(on) }),
    pickFolder: () => invoke('pick_folder'),
    openWorkspace: (path) => invoke('open_workspace', { path }),
    knownWorkspaces: () => invoke('known_workspaces'),
    openLogs: () => invoke('open_logs'),
    openUrl: (url) => invoke('open_url', { url }),
  };
}
