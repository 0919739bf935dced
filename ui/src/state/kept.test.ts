// Are drafts kept per session, and does a broken storage do no harm?

import { beforeEach, expect, it, vi } from 'vitest';
import { draftOf, keep, keepDraft, kept } from './kept';

beforeEach(() => localStorage.clear());

it('keeps a draft for its session alone, and forgets an empty one', () => {
  keepDraft('a', 'half a thought');
  expect(draftOf('a')).toBe('half a thought');
  expect(draftOf('b')).toBe('');
  keepDraft('a', '');
  expect(localStorage.length).toBe(0);
});

it('falls back when what is kept cannot be read or written', () => {
  localStorage.setItem('outrigger.x', '{broken');
  expect(kept('x', 7)).toBe(7);
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  expect(() => keep('x', 1)).not.toThrow();
});
