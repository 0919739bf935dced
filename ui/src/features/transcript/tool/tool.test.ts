// Are changes, terminal colours and inputs read as they were meant?

import { describe, expect, it } from 'vitest';
import { ansiRuns } from './ansi_runs';
import { diffOf } from './diff_rows';
import { intentOf } from './tool_words';

describe('a change', () => {
  it('of two texts has numbered rows', () => {
    const view = diffOf({ path: 'a', oldText: 'one\ntwo\nthree\n', newText: 'one\n2\nthree\n', patch: null });
    expect([view.added, view.removed]).toEqual([1, 1]);
    expect(view.rows.map((row) => [row.kind, row.before, row.after, row.text])).toEqual([
      ['same', 1, 1, 'one'],
      ['del', 2, null, 'two'],
      ['add', null, 2, '2'],
      ['same', 3, 3, 'three'],
    ]);
  });

  it('given as a patch counts the same', () => {
    const patch = '--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-one\n+1\n two\n@@ -9 +9 @@\n-nine\n+9\n';
    const view = diffOf({ path: 'x', oldText: null, newText: null, patch });
    expect([view.added, view.removed]).toEqual([2, 2]);
    expect(view.rows.filter((row) => row.kind === 'gap')).toHaveLength(1);
  });

  it('that cannot be read is shown as it is', () => {
    const view = diffOf({ path: 'x', oldText: null, newText: null, patch: '@@ nonsense' });
    expect(view.rows.map((row) => row.text).join('')).toContain('nonsense');
  });
});

describe('terminal output', () => {
  it('keeps colours as names and drops what is no text', () => {
    const runs = ansiRuns('\u001b[1m\u001b[31mbad\u001b[0m ok\u001b]0;title\u0007\u001b[2K!\u0000');
    expect(runs[0]).toEqual({ text: 'bad', classes: ['bold', 'fg-red'], color: null });
    expect(runs.map((run) => run.text).join('')).toBe('bad ok!');
  });

  it('lets a carriage return overwrite its line', () => {
    expect(ansiRuns('10%\r50%\r100%\ndone\r\n')[0]?.text).toBe('100%\ndone\n');
  });

  it('takes exact colours only as numbers', () => {
    expect(ansiRuns('\u001b[38;2;1;2;3mx')[0]?.color).toBe('rgb(1, 2, 3)');
  });
});

describe('what a call would do', () => {
  it.each([
    ['execute' as const, { command: 'ls' }, 'command'],
    ['execute' as const, { command: ['git', 'status'] }, 'command'],
    ['edit' as const, { file_path: 'a', old_string: 'x', new_string: 'y' }, 'change'],
    ['edit' as const, { path: 'a', content: 'new' }, 'change'],
    ['delegate' as const, { prompt: 'go' }, 'words'],
    ['other' as const, { anything: 1 }, 'json'],
    ['read' as const, {}, 'nothing'],
  ])('%s %j is a %s', (kind, input, type) => expect(intentOf(kind, input).type).toBe(type));
});
