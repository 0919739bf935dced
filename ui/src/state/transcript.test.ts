// Does the transcript show every item once and in order, whatever comes twice, late or from a gap?

import { describe, expect, it } from 'vitest';
import type { Item } from '../protocol/Item';
import type { ItemBody } from '../protocol/ItemBody';
import type { SessionEvent } from '../protocol/SessionEvent';
import { Transcript } from './transcript';

const says = (text: string, open = false): ItemBody => ({ type: 'agentMessage', text, open });
const item = (seq: number, body: ItemBody = says(`${seq}`), place = 0, lastSeq = seq): Item => ({
  id: `${seq}.${place}`,
  seq,
  lastSeq,
  at: '2026-01-01T00:00:00Z',
  body,
});
const live = (id: string, text: string): Item => ({ ...item(0, says(text, true)), id, lastSeq: 0 });
const event = (it: Item, replaces?: string): SessionEvent => ({ type: 'item', item: it, replaces: replaces ?? null });
const ids = (transcript: Transcript) => [...transcript.heldItems()].map((held) => held.id);
const textAt = (transcript: Transcript, index: number) => {
  const body = transcript.at(index)?.body;
  return body && 'text' in body ? body.text : undefined;
};

function opened(items: Item[], before = 0): Transcript {
  const transcript = new Transcript();
  transcript.load({ items, before, total: before + items.length, lastSeq: items.at(-1)?.lastSeq ?? 0 });
  return transcript;
}

describe('what is streamed', () => {
  it('grows by appending and gives its place to the durable item', () => {
    const transcript = opened([item(1)]);
    transcript.apply([
      event(live('live:a', '')),
      { type: 'append', id: 'live:a', text: 'Hel' },
      { type: 'append', id: 'live:a', text: 'lo' },
    ]);
    expect(textAt(transcript, 1)).toBe('Hello');
    const change = transcript.apply([event(item(2, says('Hello')), 'live:a')]);
    expect(ids(transcript)).toEqual(['1.0', '2.0']);
    expect(change.added, 'a block that was on the screen is not new').toEqual([]);
    expect(change.replaced[0]?.live).toBe('live:a');
  });

  it('is known by the same key when an item comes before it, and as the durable item', () => {
    const transcript = opened([item(1)]);
    transcript.apply([event(live('live:a', 'x')), event(live('live:b', 'y'))]);
    const before = transcript.keys();
    const [a, b] = [before(1), before(2)];
    expect(new Set([before(0), a, b]).size).toBe(3);
    transcript.apply([event(item(2, says('steer')))]);
    expect([transcript.keys()(2), transcript.keys()(3)]).toEqual([a, b]);
    expect([before(1), before(2)], 'rows as they were drawn keep their keys').toEqual([a, b]);
    transcript.apply([event(item(3, says('y')), 'live:b')]);
    expect([transcript.keys()(2), transcript.keys()(3)]).toEqual([b, a]);
    transcript.apply([event(live('live:b', 'another of that name'))]);
    const keys = [0, 1, 2, 3, 4].map(transcript.keys());
    expect(new Set(keys).size, 'no two rows have the same').toBe(5);
  });

  it('is a new object after an append, so that a row sees it', () => {
    const transcript = opened([]);
    transcript.apply([event(live('live:a', 'x'))]);
    const before = transcript.at(0);
    transcript.apply([{ type: 'append', id: 'live:a', text: 'y' }]);
    expect(transcript.at(0)).not.toBe(before);
  });

  it('stands after what is durable, and goes when it came to nothing', () => {
    const transcript = opened([item(1)]);
    transcript.apply([event(live('live:a', 'a')), event(item(2))]);
    expect(ids(transcript)).toEqual(['1.0', '2.0', 'live:a']);
    transcript.apply([{ type: 'remove', id: 'live:a' }]);
    expect(ids(transcript)).toEqual(['1.0', '2.0']);
  });

  it('is sent again with its text so far when a feed begins anew', () => {
    const transcript = opened([item(1)]);
    transcript.apply([event(live('live:a', 'Hel'))]);
    transcript.dropLive();
    transcript.apply([event(live('live:a', 'Hello wor')), { type: 'append', id: 'live:a', text: 'ld' }]);
    expect(ids(transcript)).toEqual(['1.0', 'live:a']);
    expect(textAt(transcript, 1)).toBe('Hello world');
  });

  it('appends to the output of a tool call that stands', () => {
    const call: ItemBody = {
      ...{ type: 'toolCall', toolCallId: 'c', name: 'sh', title: 'sh', kind: 'execute', status: 'running', input: {} },
      ...{ content: [], locations: [], endedAt: null, durationMs: null },
    };
    const transcript = opened([item(1, call)]);
    transcript.apply([
      { type: 'append', id: '1.0', text: 'one\n' },
      { type: 'append', id: '1.0', text: 'two' },
    ]);
    const body = transcript.at(0)?.body;
    expect(body?.type === 'toolCall' && body.content).toEqual([{ type: 'text', text: 'one\ntwo' }]);
  });
});

describe('never twice, never missing', () => {
  it('takes an item that comes again as a change, not as another one', () => {
    const transcript = opened([item(1), item(2)]);
    transcript.apply([event(item(2, says('changed'), 0, 3)), event(item(4)), event(item(4))]);
    expect(ids(transcript)).toEqual(['1.0', '2.0', '4.0']);
    expect(textAt(transcript, 1)).toBe('changed');
    expect(transcript.lastSeq).toBe(4);
  });

  it('keeps several items of one record', () => {
    const transcript = opened([item(1)]);
    transcript.apply([event(item(2, says('a'), 0)), event(item(2, says('b'), 1))]);
    expect(ids(transcript)).toEqual(['1.0', '2.0', '2.1']);
  });

  it('does not count an old item that is not held', () => {
    const transcript = opened([item(50), item(51)], 49);
    const change = transcript.apply([event(item(3, says('late'), 0, 60))]);
    expect(transcript.length).toBe(51);
    expect(change.added).toEqual([]);
    expect(transcript.lastSeq, 'the change was heard all the same').toBe(60);
  });

  it('does not let an older page undo a newer event', () => {
    const transcript = opened([item(1)]);
    transcript.apply([event(item(1, says('new'), 0, 9))]);
    transcript.load({ items: [item(1, says('old'))], before: 0, total: 1, lastSeq: 1 });
    expect(textAt(transcript, 0)).toBe('new');
  });
});

describe('gaps', () => {
  it('are asked for in whole pages and only once they are missing', () => {
    const transcript = opened(
      Array.from({ length: 100 }, (_, n) => item(901 + n)),
      900,
    );
    expect(transcript.gaps(850, 950, 100)).toEqual([{ from: 800, limit: 100 }]);
    transcript.load({
      items: Array.from({ length: 100 }, (_, n) => item(801 + n)),
      before: 800,
      total: 1000,
      lastSeq: 1000,
    });
    expect(transcript.gaps(850, 950, 100)).toEqual([]);
    expect(transcript.at(0)).toBeUndefined();
  });

  it('come back for items far from the view, never for those in it', () => {
    const transcript = opened(Array.from({ length: 1000 }, (_, n) => item(n + 1)));
    transcript.evict(100, 140, 200);
    expect(transcript.held).toBeLessThanOrEqual(200);
    for (let row = 100; row <= 140; row++) expect(transcript.at(row)?.seq).toBe(row + 1);
    expect(transcript.at(999), 'the newest stay: the next one is told from them').toBeDefined();
    transcript.apply([event(item(1001))]);
    expect(transcript.length).toBe(1001);
  });
});

describe('sub-agents', () => {
  const call = (id: string): ItemBody => ({
    ...{
      type: 'toolCall',
      toolCallId: id,
      name: 'Task',
      title: 'Task',
      kind: 'delegate',
      status: 'running',
      input: {},
    },
    ...{ content: [], locations: [], endedAt: null, durationMs: null },
  });

  it('are counted once below their call, at any depth', () => {
    const transcript = opened([item(1, call('a'))]);
    const inner = { ...item(2, call('b')), parent: 'a' };
    transcript.apply([event(inner), event({ ...inner, lastSeq: 3 }), event({ ...item(4), parent: 'b' })]);
    expect(transcript.nestedUnder('a')?.count).toBe(1);
    expect(transcript.ancestors(transcript.at(2) as Item)).toEqual(['b', 'a']);
  });

  it('stay to be seen when their call is not held', () => {
    const transcript = opened([{ ...item(2), parent: 'elsewhere' }]);
    expect(transcript.ancestors(transcript.at(0) as Item)).toEqual([]);
  });
});
