// Are scopes said and foretold as they are decided?

import { expect, test } from 'vitest';
import type { HeldRule } from '../../protocol/HeldRule';
import { coverOf, mayWrite, pickOf, ruleOf, ruleWords, scopeWords, settled } from './scope_words';

const rule = (path: string, reach: HeldRule['reach'] = 'tree', permission: HeldRule['permission'] = 'write') => ({
  path,
  reach,
  permission,
});

test('rules are told relative to the workspace', () => {
  expect(ruleWords(rule('/w/src'), '/w')).toBe('src/');
  expect(ruleWords(rule('/w/src', 'entries'), '/w')).toBe('src/*');
  expect(ruleWords(rule('/w/a.rs', 'file'), '/w/')).toBe('a.rs');
  expect(ruleWords(rule('/w'), '/w')).toBe('the whole workspace');
  expect(ruleWords(rule('/world/x', 'file'), '/w')).toBe('/world/x');
  expect(scopeWords(null, '/w')).toBe('No scope');
  expect(scopeWords([rule('/w', 'tree', 'read')], '/w')).toBe('Reads only');
  expect(
    scopeWords(
      ['a', 'b', 'c', 'd', 'e'].map((name) => rule(`/w/${name}`)),
      '/w',
    ),
  ).toBe('Writes a/, b/, c/ and 2 more');
});

test('a tree covers all below, entries only what lies in it, a file itself', () => {
  expect(coverOf(rule('/w/src'), '/w/src/deep/a.rs')).toBe('all');
  expect(coverOf(rule('/w/src'), '/w/src')).toBe('all');
  expect(coverOf(rule('/w/src'), '/w')).toBe('part');
  expect(coverOf(rule('/w/src'), '/w/srcs')).toBe('none');
  expect(coverOf(rule('/w/src', 'entries'), '/w/src/a.rs')).toBe('all');
  expect(coverOf(rule('/w/src', 'entries'), '/w/src/deep/a.rs')).toBe('none');
  expect(coverOf(rule('/w/src', 'entries'), '/w/src')).toBe('part');
  expect(mayWrite([rule('/w/src', 'tree', 'read')], '/w/src/a.rs')).toBeUndefined();
  expect(mayWrite([rule('/w/a.rs', 'file')], '/w/a.rs')?.path).toBe('/w/a.rs');
});

test('a path that leads away is settled before it is judged', () => {
  expect(settled('/w/src', '../docs/./a.md')).toBe('/w/docs/a.md');
  expect(settled('/w', '/etc/../w/a')).toBe('/w/a');
  expect(settled('/w', '../../../x')).toBe('/x');
});

test('what is picked becomes the rule that is meant', () => {
  expect(ruleOf(pickOf('src/'))).toEqual({ permission: 'write', path: 'src/', recursive: true });
  expect(ruleOf(pickOf('src/a.rs'))).toEqual({ permission: 'write', path: 'src/a.rs', recursive: false });
  expect(ruleOf(pickOf('', 'read'))).toEqual({ permission: 'read', path: '.', recursive: true });
  expect(ruleOf({ path: './new', permission: 'write', reach: 'entries' })).toEqual({
    permission: 'write',
    path: 'new/',
    recursive: false,
  });
});
