// Does an open session follow its feed, return credits, and survive its end and its return?

import { expect, it, vi } from 'vitest';
import type { Feed, Host } from '../host/host';
import type { FeedFrame } from '../protocol/FeedFrame';
import type { Item } from '../protocol/Item';
import type { SessionSummary } from '../protocol/SessionSummary';
import { SessionView } from './session_view.svelte';

const item = (seq: number): Item => ({
  id: `${seq}.0`,
  seq,
  lastSeq: seq,
  at: '',
  body: { type: 'agentMessage', text: `${seq}`, open: false },
});
const summaryOf = (liveness: SessionSummary['liveness']) => ({ session: 's', liveness }) as SessionSummary;
const idle: SessionSummary['liveness'] = { type: 'live', state: { type: 'idle' }, waiting: 0, queued: 0 };

function host(live: boolean) {
  const feeds: { from: number; on: (frame: FeedFrame) => void; credits: number[]; closed: boolean }[] = [];
  const fake = {
    openSession: async () => ({
      session: 's',
      summary: summaryOf(live ? idle : { type: 'interrupted' }),
      status: null,
      page: { items: [item(1)], before: 0, total: 1, lastSeq: 1 },
      damage: [],
    }),
    followSession: async (_session: string, from: number, on: (frame: FeedFrame) => void): Promise<Feed> => {
      const feed = { from, on, credits: [] as number[], closed: false };
      feeds.push(feed);
      return { credit: (frame) => feed.credits.push(frame), close: () => (feed.closed = true) };
    },
    prompt: async () => ({ taken: 'started', promptId: 'p' }),
  };
  return { host: fake as unknown as Host, feeds };
}

it('takes frames in and returns one credit for what was drawn', async () => {
  const { host: fake, feeds } = host(true);
  const added = vi.fn();
  const view = new SessionView(fake, 's', added);
  await view.open();
  feeds[0]?.on({ type: 'events', frame: 1, events: [{ type: 'item', item: item(2) }] });
  feeds[0]?.on({ type: 'events', frame: 2, events: [{ type: 'item', item: item(3) }] });
  await vi.waitFor(() => expect(feeds[0]?.credits).toEqual([2]));
  expect(view.length).toBe(3);
  expect(added).toHaveBeenCalledTimes(2);
  view.close();
  expect(feeds[0]?.closed).toBe(true);
});

it('returns credits although a hidden window draws no frames', async () => {
  vi.stubGlobal('requestAnimationFrame', () => 1);
  const { host: fake, feeds } = host(true);
  const view = new SessionView(fake, 's', () => undefined);
  await view.open();
  feeds[0]?.on({ type: 'events', frame: 1, events: [] });
  await vi.waitFor(() => expect(feeds[0]?.credits).toEqual([1]));
  view.close();
  vi.unstubAllGlobals();
});

it('follows again from its last record when a prompt brings the session back', async () => {
  const { host: fake, feeds } = host(false);
  const view = new SessionView(fake, 's', () => undefined);
  await view.open();
  await view.prompt('go on', 'queue');
  expect(feeds.map((feed) => feed.from)).toEqual([1]);
  feeds[0]?.on({ type: 'events', frame: 1, events: [{ type: 'item', item: item(2) }] });
  await vi.waitFor(() => expect(view.length).toBe(2));
  view.close();
});

it('says why it could not be opened', async () => {
  const failing = { openSession: () => Promise.reject({ code: 'noSuchSession', message: 'gone' }) } as unknown as Host;
  const view = new SessionView(failing, 's', () => undefined);
  await view.open();
  expect(view.phase).toEqual({ type: 'failed', error: { code: 'noSuchSession', message: 'gone' } });
});

it('reads what the feed did not tell before it ended', async () => {
  const { host: fake, feeds } = host(true);
  const view = new SessionView(fake, 's', () => undefined);
  await view.open();
  fake.openSession = async () => ({
    ...{ session: 's', summary: summaryOf({ type: 'ended', outcome: 'done', at: '' }), status: null },
    page: { items: [item(1), item(2)], before: 0, total: 2, lastSeq: 2 },
    damage: [],
  });
  feeds[0]?.on({ type: 'closed', reason: 'the session ended' });
  await vi.waitFor(() => expect(view.length).toBe(2));
  expect(view.summary?.liveness.type).toBe('ended');
  view.close();
});

it('reads what was put into the journal of a session whose keeper had been killed', async () => {
  const { host: fake, feeds } = host(false);
  const view = new SessionView(fake, 's', () => undefined);
  await view.open();
  view.summarise(summaryOf({ type: 'interrupted' }));
  expect(feeds).toEqual([]);
  const closed = { ...summaryOf({ type: 'interrupted' }), updatedAt: '2026-01-01T00:00:01Z' };
  view.summarise(closed);
  await vi.waitFor(() => expect(feeds.map((feed) => feed.from)).toEqual([1]));
  view.close();
});
