// Does what a request would write lie inside the scope of who asks? In a sentence, or nothing where there is no scope.

import type { PodTree } from '../../protocol/PodTree';
import type { SessionSummary } from '../../protocol/SessionSummary';
import type { ToolKind } from '../../protocol/ToolKind';
import type { JsonValue } from '../../protocol/serde_json/JsonValue';
import { below, levels, mayWrite, ruleWords, scopeWords, settled } from './scope_words';

export interface Note {
  lies: 'inside' | 'outside' | 'command';
  words: string;
}

/** The paths that a call names, as far as the known tools write them. */
export function pathsOf(input: JsonValue): string[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return [];
  const named = ['file_path', 'filePath', 'path', 'notebook_path', 'target_file', 'destination'].flatMap((key) => {
    const value = input[key];
    return typeof value === 'string' ? [value] : [];
  });
  const patch = [input.patch, input.unified_diff, input.diff].find((text) => typeof text === 'string') ?? '';
  const patched = [...patch.matchAll(/^(?:\+\+\+ b\/|\*\*\* (?:Add|Update|Delete) File: )(.+)$/gm)];
  return [...new Set([...named, ...patched.flatMap((match) => match[1] ?? [])])];
}

/** What is to be said beside a request; null where no scope is at stake. */
export function noteOf({ pods }: PodTree, summary: SessionSummary, kind: ToolKind, input: JsonValue): Note | null {
  const own = pods.find(({ entry }) => entry.session === summary.session);
  const scope = own?.entry.scope;
  if (!own || !scope) return null;
  const folder = own.entry.workspace;
  if (kind === 'execute') {
    const held = own.confinement ? levels[own.confinement.level].hint : 'How it is held to that is not known';
    return { lies: 'command', words: `A command. ${scopeWords(scope, folder)}. ${held}.` };
  }
  if (kind !== 'edit' && kind !== 'delete' && kind !== 'move') return null;
  const paths = pathsOf(input).map((path) => settled(summary.cwd, path));
  if (paths.length === 0) return null;
  const outside = paths.find((path) => !mayWrite(scope, path));
  if (outside !== undefined) {
    const words = `Outside its scope: ${below(folder, outside)}. ${scopeWords(scope, folder)}.`;
    return { lies: 'outside', words };
  }
  const children = pods.filter(({ entry }) => entry.outcome === null && entry.parent === summary.session);
  for (const path of paths) {
    const holder = children.find(({ entry }) => entry.scope && mayWrite(entry.scope, path));
    if (holder)
      return { lies: 'outside', words: `${below(folder, path)} is held by its pod ${holder.entry.name} now.` };
  }
  const rules = paths.map((path) => mayWrite(scope, path)).filter((rule) => rule !== undefined);
  const named = [...new Set(rules.map((rule) => ruleWords(rule, folder)))].join(', ');
  return { lies: 'inside', words: `Inside its scope: ${named}` };
}
