// Is it foretold rightly whether a write lies inside the scope of who asks?

import { expect, test } from 'vitest';
import { enforced, held, treePod } from '../../host/replay/pods';
import { summary, working } from '../../host/replay/scene_parts';
import { noteOf, pathsOf } from './scope_note';

const tree = {
  pods: [
    treePod('p', 'parent', null, 9, { scope: [held('src')] }, enforced),
    treePod('c', 'child', 'p', 5, { scope: [held('src/lib.rs', 'file')] }, enforced),
    treePod('free', 'free', null, 9),
  ],
  at: 0,
};
const edit = (session: string, file_path: string) =>
  noteOf(tree, summary(session, 't', 1, working(1)), 'edit', { file_path, new_string: 'x' });

test('inside, outside, given to a child, and without a scope', () => {
  expect(edit('p', 'src/a.rs')).toEqual({ lies: 'inside', words: 'Inside its scope: src/' });
  expect(edit('p', '../oars/src/../README.md')?.words).toBe('Outside its scope: README.md. Writes src/.');
  expect(edit('p', 'src/lib.rs')).toEqual({ lies: 'outside', words: 'src/lib.rs is held by its pod child now.' });
  expect(edit('c', 'src/lib.rs')?.lies).toBe('inside');
  expect(edit('free', 'anything')).toBeNull();
  expect(edit('unknown', 'anything')).toBeNull();
});

test('a command is told with how it is held; a patch by the files that it names', () => {
  const asked = noteOf(tree, summary('p', 't', 1, working(1)), 'execute', { command: 'make' });
  expect(asked?.words).toBe('A command. Writes src/. The kernel refuses every write outside the scope.');
  expect(pathsOf({ patch: '--- a/x\n+++ b/src/x.rs\n*** Update File: y.md\n' })).toEqual(['src/x.rs', 'y.md']);
});
