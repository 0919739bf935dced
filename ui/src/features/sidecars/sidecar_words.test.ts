// Is it said of each state what it means and what comes next?

import { describe, expect, it } from 'vitest';
import type { SidecarState } from '../../protocol/SidecarState';
import type { SidecarView } from '../../protocol/SidecarView';
import { fits, groupOf, isUp, mayRun, standing } from './sidecar_words';

function view(state: SidecarState, more: Partial<SidecarView> = {}): SidecarView {
  return {
    name: 'lint',
    description: 'Finds what is wrong',
    folder: '/w/.outrigger/sidecars/lint',
    share: 'workspace',
    trust: { type: 'trusted' },
    state,
    tools: [{ name: 'check_file', description: '', inputSchema: {}, readOnly: true }],
    refusedTools: [],
    rss: 0,
    cpuMs: 0,
    calls: 0,
    users: [],
    ...more,
  };
}

const failure = { at: 'build' as const, message: 'npm ci ended with 1', output: [] };
const question = { name: 'lint', folder: '/', build: [], run: [], passes: [], secrets: [], manifest: '', hash: '1' };
const words = (state: SidecarState, now = 0) => {
  const { word, more } = standing(view(state), 0, now);
  return more === '' ? word : `${word}: ${more}`;
};

describe('a state', () => {
  it('says how many tools there are', () => {
    expect(words({ type: 'connected', tools: 1 })).toBe('Ready: 1 tool');
    expect(words({ type: 'connected', tools: 12 })).toBe('Ready: 12 tools');
  });

  it('that failed counts down to the next try', () => {
    const state: SidecarState = { type: 'failed', failure, again: { type: 'after', ms: 8000, attempt: 4 } };
    expect(words(state, 0)).toBe('Failed to build: try 4 in 8 s');
    expect(words(state, 5000)).toBe('Failed to build: try 4 in 3 s');
    expect(words(state, 9000)).toBe('Failed to build: try 4 follows');
  });

  it('that failed for good says so', () => {
    expect(words({ type: 'failed', failure, again: { type: 'byHand' } })).toBe(
      'Failed to build: not tried again by itself',
    );
  });

  it('is behind what is wrong with the manifest, and behind the question of trust', () => {
    expect(standing(view({ type: 'idle' }, { error: 'line 3' }), 0, 0).tone).toBe('bad');
    const asks = view({ type: 'idle' }, { trust: { type: 'needed', changed: true, question } });
    expect(standing(asks, 0, 0).word).toBe('Changed, needs your trust');
    const serves = { ...asks, state: { type: 'connected', tools: 1 } as const };
    expect(standing(serves, 0, 0).word).toBe('Ready');
    expect(mayRun(serves)).toBe(false);
  });
});

describe('a sidecar', () => {
  it('can be stopped while it runs or is about to', () => {
    expect(isUp(view({ type: 'building' }))).toBe(true);
    expect(isUp(view({ type: 'failed', failure, again: { type: 'after', ms: 1, attempt: 1 } }))).toBe(true);
    expect(isUp(view({ type: 'failed', failure, again: { type: 'byHand' } }))).toBe(false);
    expect(isUp(view({ type: 'stopped', why: 'asked' }))).toBe(false);
  });

  it('is listed by where it lies, and first of all when it asks', () => {
    expect(groupOf(view({ type: 'idle' }), '/w')).toBe('workspace');
    expect(groupOf(view({ type: 'idle' }), '/other')).toBe('own');
    expect(groupOf(view({ type: 'idle' }, { folder: 'C:\\w\\.outrigger\\sidecars\\lint' }), 'C:\\w')).toBe('workspace');
    expect(groupOf(view({ type: 'idle' }, { trust: { type: 'needed', changed: false, question } }), '/w')).toBe('asks');
  });

  it('is found by a tool', () => {
    expect(fits(view({ type: 'idle' }), 'CHECK lint')).toBe(true);
    expect(fits(view({ type: 'idle' }), 'check absent')).toBe(false);
  });
});
