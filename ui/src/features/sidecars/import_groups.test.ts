// Is each server offered once, whatever it is called and wherever it is set up?

import { describe, expect, it } from 'vitest';
import type { ImportedServer } from '../../protocol/ImportedServer';
import { groupsOf, isOffered, usual, wordsOf } from './import_groups';

function server(id: string, identity: string, more: Partial<ImportedServer> = {}): ImportedServer {
  const [source = '', name = ''] = id.split('/');
  const address = { type: 'stdio' as const, command: identity.split(' ') };
  return { id, name, source, file: '', server: address, plain: {}, secret: [], disabled: false, identity, ...more };
}

describe('servers that are the same', () => {
  const groups = groupsOf([
    server('claude/known', 'node k.mjs', { knownAs: 'known' }),
    server('claude/fs', 'npx files /', { disabled: true }),
    server('codex/time', 'uvx time'),
    server('gemini/files', 'npx files /'),
    server('vscode/off', 'npx off', { disabled: true }),
  ]);

  it('are one, and what is a sidecar already comes last', () => {
    expect(groups.map(({ servers }) => servers.map(({ id }) => id))).toEqual([
      ['claude/fs', 'gemini/files'],
      ['codex/time'],
      ['vscode/off'],
      ['claude/known'],
    ]);
    expect(groups.at(-1)?.knownAs).toBe('known');
  });

  it('are taken from where they are in use', () => {
    expect(groups.map((group) => usual(group)?.id)).toEqual([
      'gemini/files',
      'codex/time',
      'vscode/off',
      'claude/known',
    ]);
    expect(groups.map(isOffered)).toEqual([true, true, false, false]);
  });

  it('are shown by what is run or called', () => {
    expect(wordsOf(server('a/b', 'npx x'))).toEqual(['npx', 'x']);
    expect(wordsOf(server('a/b', '', { server: { type: 'http', url: 'https://x.example' } }))).toEqual([
      'https://x.example',
    ]);
  });
});
