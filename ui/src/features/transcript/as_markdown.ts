// How does a transcript read as markdown, for a copy that goes elsewhere?

import type { Item } from '../../protocol/Item';
import { duration, usageWords } from '../../state/figures';

/** One item as markdown, or null for what a reader of the copy does not need. */
export function asMarkdown(item: Item): string | null {
  const { body } = item;
  switch (body.type) {
    case 'userMessage':
      return `**${body.from ?? 'You'}:** ${body.text}`;
    case 'agentMessage':
      return body.text;
    case 'toolCall':
      return [
        `- ${body.title} (${body.status})`,
        ...body.content.flatMap((piece) => (piece.type === 'text' ? [fenced(piece.text)] : [])),
      ].join('\n');
    case 'plan':
      return body.entries.map((entry) => `- [${entry.status === 'completed' ? 'x' : ' '}] ${entry.content}`).join('\n');
    case 'permission':
      return body.state.type === 'answered' ? `- Permission for “${body.title}”: ${body.state.outcome}` : null;
    case 'turnEnd':
      return `---\n${[body.durationMs == null ? '' : duration(body.durationMs), ...usageWords(body.usage)].filter(Boolean).join(' · ')}`;
    case 'error':
      return `**Error:** ${body.message}`;
    case 'notice':
      return `> ${body.text}`;
    case 'pod':
      return `- Started the pod ${body.name} (${body.provider}): ${body.task}`;
    case 'thought':
    case 'opened':
    case 'ended':
    case 'unknown':
      return null;
  }
}

/** A fence longer than any inside of the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
