// Do panes open, close and come back as the user left them, with every view that goes closed?

import { expect, test } from 'vitest';
import { Panes } from './panes.svelte';
import type { SessionView } from './session_view.svelte';

function opened() {
  const closed: string[] = [];
  const panes = new Panes((session) => ({ session, close: () => closed.push(session) }) as unknown as SessionView);
  return { panes, closed };
}

test('a session is never there twice, and what it took the place of is closed', () => {
  const { panes, closed } = opened();
  panes.show('a');
  panes.showBeside('b');
  panes.show('a');
  expect(panes.layout).toEqual({ sessions: ['a', 'b'], active: 0 });
  panes.show('c');
  expect(panes.layout).toEqual({ sessions: ['c', 'b'], active: 0 });
  expect(closed).toEqual(['a']);
});

test('four are the most: a fifth takes the place of the last', () => {
  const { panes, closed } = opened();
  for (const session of ['a', 'b', 'c', 'd', 'e']) panes.showBeside(session);
  expect(panes.layout.sessions).toEqual([null, 'a', 'b', 'e']);
  expect(closed).toEqual(['c', 'd']);
});

test('the pane in use stays the same one when another one is closed', () => {
  const { panes } = opened();
  panes.restore({ sessions: ['a', null, 'c'], active: 2 }, () => true);
  panes.close(0);
  expect(panes.layout).toEqual({ sessions: [null, 'c'], active: 1 });
  panes.close(1);
  panes.close(0);
  expect(panes.layout).toEqual({ sessions: [null], active: 0 });
});

test('a layout comes back without the sessions that are gone', () => {
  const { panes } = opened();
  panes.restore({ sessions: ['a', 'gone', 'c'], active: 2 }, (session) => session !== 'gone');
  expect(panes.layout).toEqual({ sessions: ['a', 'c'], active: 1 });
});
