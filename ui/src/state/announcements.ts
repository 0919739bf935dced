// What is a screen reader told, and the status line? Ends, requests and errors; never the stream itself.

import type { Item } from '../protocol/Item';
import { duration } from './figures';

/** The words for a new item, or null when it is not worth interrupting anybody. */
export function announcementOf(item: Item): string | null {
  const { body } = item;
  switch (body.type) {
    case 'turnEnd': {
      const took = body.durationMs == null ? '' : ` after ${duration(body.durationMs)}`;
      return body.stopReason === 'interrupted' ? `Turn interrupted${took}` : `Turn ended${took}`;
    }
    case 'error':
      return `Error: ${body.message}`;
    case 'ended':
      return `Session ${body.outcome === 'done' ? 'ended' : body.outcome}`;
    case 'notice':
      return body.level === 'info' ? null : body.text;
    // The pod's status says which requests really wait.
    case 'permission':
    case 'userMessage':
    case 'agentMessage':
    case 'thought':
    case 'toolCall':
    case 'plan':
    case 'pod':
    case 'opened':
    case 'unknown':
      return null;
  }
}
