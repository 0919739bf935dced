// Is it seen what is being completed, and does the prompt read right afterwards?

import { expect, test } from 'vitest';
import { completed, lettersIn, mentionOf, runsOf, triggerAt, type Completion } from './completion';

const file = (path: string): Completion => ({
  id: path,
  group: 'Files',
  label: path,
  fits: [],
  detail: '',
  insert: mentionOf(path),
  goesOn: path.endsWith('/'),
});

test('a name is completed behind @, a command only at the beginning', () => {
  expect(triggerAt('look at @src/li', 15)).toEqual({ kind: 'mention', typed: 'src/li', from: 8, to: 15 });
  expect(triggerAt('@', 1)).toEqual({ kind: 'mention', typed: '', from: 0, to: 1 });
  expect(triggerAt('(@a', 3)?.typed).toBe('a');
  expect(triggerAt('/com', 4)).toEqual({ kind: 'command', typed: 'com', from: 0, to: 4 });
  for (const none of ['mail me@home', 'a /command', '/usr/bin', '@done ', 'plain']) {
    expect(triggerAt(none, none.length)).toBeNull();
  }
});

test('only what stands before the caret counts', () => {
  expect(triggerAt('@abc', 2)?.typed).toBe('a');
  expect(triggerAt('x @abc', 1)).toBeNull();
});

test('a completion takes the place of what was typed and leaves the rest', () => {
  const text = 'see @li and go';
  const trigger = triggerAt(text, 7);
  if (!trigger) throw new Error('there is none');
  expect(completed(text, trigger, file('src/lib.rs'))).toEqual({ text: 'see @src/lib.rs and go', caret: 16 });
  const alone = triggerAt('@li', 3);
  if (!alone) throw new Error('there is none');
  expect(completed('@li', alone, file('src/lib.rs'))).toEqual({ text: '@src/lib.rs ', caret: 12 });
  expect(completed('@li', alone, file('src/'))).toEqual({ text: '@src/', caret: 5 });
  expect(completed('@li', alone, file('a guide.md')).text).toBe('@"a guide.md" ');
});

test('what fits is marked in runs', () => {
  expect(runsOf('src/lib.rs', [4, 5, 8])).toEqual([
    { text: 'src/', fits: false },
    { text: 'li', fits: true },
    { text: 'b.', fits: false },
    { text: 'r', fits: true },
    { text: 's', fits: false },
  ]);
  expect(lettersIn('Compact', 'cpt')).toEqual([0, 3, 6]);
  expect(lettersIn('Compact', 'z')).toBeNull();
});
