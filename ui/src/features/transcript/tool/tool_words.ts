// What does a tool call say in one line, and what would it do? Read from its input as the known tools write it; whatever
// is not known is shown as JSON by the caller.

import type { JsonValue } from '../../../protocol/serde_json/JsonValue';
import type { ToolCall } from '../../../protocol/ToolCall';
import type { ToolKind } from '../../../protocol/ToolKind';
import { diffOf } from './diff_rows';

export interface Change {
  path: string;
  oldText: string | null;
  newText: string | null;
  patch: string | null;
}

/** What a call would do, as far as its input tells. */
export type Intent =
  | { type: 'command'; command: string; cwd: string | null }
  | { type: 'change'; change: Change }
  | { type: 'words'; words: string }
  | { type: 'json'; value: JsonValue }
  | { type: 'nothing' };

type Fields = { [key in string]?: JsonValue };

function fields(input: JsonValue): Fields {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

const intents = new WeakMap<object, Intent>();

/** What a call with this input would do. */
export function intentOf(kind: ToolKind, input: JsonValue): Intent {
  if (typeof input !== 'object' || input === null)
    return input === null ? { type: 'nothing' } : { type: 'json', value: input };
  let intent = intents.get(input);
  if (!intent) {
    intent = read(kind, input);
    intents.set(input, intent);
  }
  return intent;
}

function read(kind: ToolKind, input: JsonValue): Intent {
  const all = fields(input);
  const command = Array.isArray(all.command) ? all.command.join(' ') : text(all.command);
  if (command !== null) return { type: 'command', command, cwd: text(all.cwd) };
  const words = text(all.prompt);
  if (kind === 'delegate' && words !== null) return { type: 'words', words };
  const path = text(all.file_path) ?? text(all.path) ?? text(all.filePath);
  if (kind === 'edit' && path !== null) {
    const oldText = text(all.old_string) ?? text(all.oldText);
    const newText = text(all.new_string) ?? text(all.newText) ?? text(all.content);
    if (newText !== null) return { type: 'change', change: { path, oldText, newText, patch: null } };
  }
  const patch = text(all.patch) ?? text(all.unified_diff) ?? text(all.diff);
  if (patch !== null) return { type: 'change', change: { path: path ?? '', oldText: null, newText: null, patch } };
  return Object.keys(all).length === 0 ? { type: 'nothing' } : { type: 'json', value: input };
}

/** Lines that a call added and removed, over all of its changes; null when it changed none. */
export function linesChanged(call: ToolCall): { added: number; removed: number } | null {
  const changes = call.content.filter((piece) => piece.type === 'diff');
  if (changes.length === 0) return null;
  const views = changes.map(diffOf);
  return {
    added: views.reduce((sum, view) => sum + view.added, 0),
    removed: views.reduce((sum, view) => sum + view.removed, 0),
  };
}

/** Whether there is anything under the line. */
export function hasDetails(call: ToolCall): boolean {
  return call.content.length > 0 || intentOf(call.kind, call.input).type !== 'nothing';
}

/** The first word of a title, which says what is done, and the rest, which says to what. */
export function splitTitle(title: string): { verb: string; rest: string } {
  const line = title.split('\n')[0] ?? '';
  const at = line.indexOf(' ');
  return at < 0 ? { verb: line, rest: '' } : { verb: line.slice(0, at), rest: line.slice(at + 1) };
}
