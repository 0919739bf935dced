// How does the page reach the shell? One command per call, and one channel per feed. Nothing else imports `@tauri-apps`.

import { Channel, invoke } from '@tauri-apps/api/core';
import type { FeedFrame } from '../protocol/FeedFrame';
import type { OpenedSession } from '../protocol/OpenedSession';
import type { SessionList } from '../protocol/SessionList';
import type { SettingsView } from '../protocol/SettingsView';
import type { Host } from './host';
import { marksIn, placesIn } from './item_words';
import { RequestReader } from './requests';

/** Whether the page runs inside the shell. */
export function insideShell(): boolean {
  return '__TAURI_INTERNALS__' in window;
}

/** The host that talks to the shell. */
export function tauriHost(): Host {
  const readItems: Host['readItems'] = (session, from, limit) => invoke('read_items', { session, from, limit });
  const lists: ((list: SessionList) => void)[] = [];
  return {
    windowInfo: () => invoke('window_info'),
    watchSessions: (on) => {
      const channel = new Channel<SessionList>();
      lists.unshift(on);
      channel.onmessage = (list) => lists.forEach((told) => told(list));
      return invoke('watch_sessions', { channel });
    },
    watchRequests: async (on) => {
      const status = async (session: string) => (await invoke<OpenedSession>('open_session', { session })).status;
      const reader = new RequestReader(status, on);
      lists.push((list) => void reader.take(list));
    },
    providerChoices: (refresh) => invoke('provider_choices', { refresh }),
    doctor: (refresh) => invoke('doctor', { refresh }),
    setCliPath: (provider, path) => invoke('set_cli_path', { provider, path }),
    startSession: (start) => invoke('start_session', { start }),
    openSession: (session) => invoke('open_session', { session }),
    readItems,
    findItems: async (session, words, from, limit) => placesIn(await readItems(session, from, limit), words),
    readMarks: async (session, from, limit) => marksIn(await readItems(session, from, limit)),
    followSession: async (session, fromSeq, on) => {
      const channel = new Channel<FeedFrame>();
      let open = true;
      channel.onmessage = (frame) => {
        if (open) on(frame);
      };
      const feed = await invoke<number>('follow_session', { session, fromSeq, channel });
      return {
        // A feed that ended meanwhile needs no credit; its end is told by its own frame.
        credit: (frame) => void invoke('feed_credit', { feed, frame }).catch(() => undefined),
        close: () => {
          open = false;
          void invoke('unfollow', { feed }).catch(() => undefined);
        },
      };
    },
    prompt: (session, params) => invoke('prompt', { session, params }),
    unqueue: (session, promptId) => invoke('unqueue', { session, promptId }),
    answer: (session, params) => invoke('answer', { session, params }),
    interrupt: (session) => invoke('interrupt', { session }),
    stop: (session, force) => invoke('stop', { session, force }),
    setSession: (session, model, permissionMode) => invoke('set_session', { session, model, permissionMode }),
    readRecords: (session, fromSeq, limit, direction) => invoke('read_records', { session, fromSeq, limit, direction }),
    processes: (session) => invoke('processes', { session }),
    readSettings: () => invoke('read_settings'),
    writeSetting: (key, value) => invoke('write_setting', { key, value }),
    watchSettings: (on) => {
      const channel = new Channel<SettingsView>();
      channel.onmessage = on;
      return invoke('watch_settings', { channel });
    },
    pickFolder: () => invoke('pick_folder'),
    openWorkspace: (path) => invoke('open_workspace', { path }),
    openLogs: () => invoke('open_logs'),
    openUrl: (url) => invoke('open_url', { url }),
  };
}
