// Does a window show what came with its page before anybody has answered it, and ask for the rest all the same?

import { expect, it } from 'vitest';
import type { Host } from '../host/host';
import type { PageBegin } from '../protocol/PageBegin';
import type { SessionList } from '../protocol/SessionList';
import { Workspace } from './workspace.svelte';

const list = (title: string): SessionList => ({
  sessions: [{ session: 's', title, liveness: { type: 'interrupted' }, updatedAt: '' }] as SessionList['sessions'],
  working: 0,
  waiting: 0,
});
const begin: PageBegin = {
  info: { workspace: '/oars', name: 'oars', branch: null, version: '1' },
  layout: { sessions: [null], active: 0, inspector: false, inspectorTab: null, sidebar: false },
  list: list('Old'),
  settings: { file: '', exists: false, problem: null, settings: [], unknown: [] },
};

/** A host that notes what it is asked and answers nothing, but for the list. */
function hostWith(begin: PageBegin | null) {
  const asked: string[] = [];
  let tell: (list: SessionList) => void = () => undefined;
  const known: Record<string, unknown> = {
    begin,
    watchSessions: async (on: typeof tell) => void (tell = on),
  };
  const host = new Proxy(known, {
    get: (all, name: string) => {
      asked.push(name);
      return name in all ? all[name] : () => new Promise(() => undefined);
    },
  });
  return { host: host as unknown as Host, asked, tell: (list: SessionList) => tell(list) };
}

it('shows what came with the page at once', async () => {
  const { host, asked, tell } = hostWith(begin);
  const workspace = new Workspace(host);
  expect(workspace.info?.name).toBe('oars');
  expect(workspace.rows().map((row) => row.summary.title)).toEqual(['Old']);
  expect(workspace.sidebarIsOpen).toBe(false);
  await workspace.begin();
  expect(asked).not.toContain('windowInfo');
  expect(asked).toContain('watchSessions');
  tell(list('New'));
  expect(workspace.rows().map((row) => row.summary.title)).toEqual(['New']);
});

it('asks for it where nothing came', () => {
  const { host, asked } = hostWith(null);
  const workspace = new Workspace(host);
  void workspace.begin();
  expect(workspace.list).toBeNull();
  expect(asked).toContain('windowInfo');
  expect(asked).toContain('readLayout');
});
