// What does a replayed agent do, step by step? A turn is told in acts and cut into small steps that run one after another,
// so that a page that is reloaded in the middle finds the same step again.

import type { Item } from '../../protocol/Item';
import type { ItemBody } from '../../protocol/ItemBody';
import type { PermissionAsk } from '../../protocol/PermissionAsk';
import type { StopReason } from '../../protocol/StopReason';
import type { ToolCall } from '../../protocol/ToolCall';
import type { Usage } from '../../protocol/Usage';

/** A step; plain data, because it is kept over a reload. `wait` is in milliseconds before it runs. */
export type Step = { wait: number } & (
  | { type: 'open'; live: string; body: ItemBody; parent?: string }
  | { type: 'append'; live: string; text: string }
  | { type: 'close'; live: string; body: ItemBody; parent?: string }
  | { type: 'item'; body: ItemBody; parent?: string }
  | { type: 'callRuns'; call: string }
  | { type: 'callPrints'; call: string; text: string }
  | { type: 'callEnds'; call: string; change: Partial<ToolCall> }
  | { type: 'ask'; ask: PermissionAsk; denied: Step[] }
  | { type: 'end'; reason: StopReason; usage: Usage | null; durationMs: number }
);

/** Characters of one delta. */
const DELTA = 14;
/** Milliseconds between deltas. */
const PACE = 24;

export const noUsage: Usage = {
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  costUsd: null,
  contextUsed: null,
  contextSize: null,
};

/** A message that is streamed and then stands. */
export function says(live: string, text: string, parent?: string): Step[] {
  const body = (sofar: string, open: boolean): ItemBody => ({ type: 'agentMessage', text: sofar, open });
  return streamed(live, text, body, parent);
}

/** A thought that is streamed and then stands. */
export function thinks(live: string, text: string, parent?: string): Step[] {
  const body = (sofar: string, open: boolean): ItemBody => ({ type: 'thought', text: sofar, open });
  return streamed(live, text, body, parent);
}

function streamed(
  live: string,
  text: string,
  body: (text: string, open: boolean) => ItemBody,
  parent?: string,
): Step[] {
  const deltas = text.match(new RegExp(`[^]{1,${DELTA}}`, 'g')) ?? [];
  return [
    { type: 'open', live, body: body('', true), parent, wait: 120 },
    ...deltas.map((delta): Step => ({ type: 'append', live, text: delta, wait: PACE })),
    { type: 'close', live, body: body(text, false), parent, wait: PACE },
  ];
}

/** A tool call as it begins. */
export function call(toolCallId: string, fields: Partial<ToolCall>): ToolCall {
  return {
    toolCallId,
    name: 'tool',
    title: 'Tool',
    kind: 'other',
    status: 'pending',
    input: {},
    content: [],
    locations: [],
    endedAt: null,
    durationMs: null,
    ...fields,
  };
}

/** A tool call that runs for a while and then has a result. */
export function calls(begun: ToolCall, durationMs: number, result: Partial<ToolCall>, parent?: string): Step[] {
  return [
    { type: 'item', body: { type: 'toolCall', ...begun, status: 'running' }, parent, wait: 80 },
    {
      type: 'callEnds',
      call: begun.toolCallId,
      change: { status: 'completed', durationMs, ...result },
      wait: durationMs,
    },
  ];
}

/** An item that stands in a journal. */
export function stands(ordinal: number, body: ItemBody, at: string, parent?: string): Item {
  const seq = ordinal + 1;
  return { id: `${seq}.0`, seq, lastSeq: seq, at, parent: parent ?? null, body };
}
