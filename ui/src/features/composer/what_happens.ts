// What becomes of a prompt that is sent just now? The words of the composer, and which of its ways is the usual one. Pure.

import type { Liveness } from '../../protocol/Liveness';
import type { PodStatus } from '../../protocol/PodStatus';

/** What Enter does. */
export type Way = 'send' | 'steer' | 'queue';

/** What the composer says and does. */
export interface Sending {
  placeholder: string;
  /** What Enter and the button in front do. */
  way: Way;
  /** What stands on that button. */
  label: string;
  /** Whether a turn runs that can be ended, and behind which a prompt can wait. */
  isBusy: boolean;
}

/** Everything that decides about it. */
export interface Situation {
  liveness: Liveness | null;
  status: PodStatus | null;
  /** Whether the agent hears a word in mid-turn. */
  canSteer: boolean;
  /** Whether images or files go with the prompt: those go into no running turn. */
  hasFiles: boolean;
  /** Whether the agent has told of commands. */
  hasCommands: boolean;
}

/** The words for a prompt that is sent just now. */
export function sendingNow({ liveness, status, canSteer, hasFiles, hasCommands }: Situation): Sending {
  const idle = (placeholder: string, label = 'Send'): Sending => ({ placeholder, way: 'send', label, isBusy: false });
  if (liveness?.type === 'interrupted') return idle('Resume this session…', 'Resume');
  if (liveness?.type !== 'live') return idle('Resume this session with a prompt', 'Resume');
  if (status?.retry?.by === 'outrigger') return idle('Send something else, and call off the retry', 'Send instead');
  switch (status?.state.type) {
    case 'working':
    case 'starting':
      return busy(status, canSteer && !hasFiles);
    case 'stopping':
    case 'draining':
      return idle('The session is ending');
    case 'idle':
    case 'ended':
    case 'failed':
    case undefined:
      return idle(restingWords((status?.queue.length ?? 0) > 0, hasCommands));
  }
}

function restingWords(hasQueue: boolean, hasCommands: boolean): string {
  if (hasQueue) return 'Say something before the queue goes on';
  return hasCommands ? 'Prompt the agent, @ for files, / for commands' : 'Prompt the agent, @ for files';
}

function busy(status: PodStatus, canSteer: boolean): Sending {
  if (!canSteer || status.state.type === 'starting')
    return { placeholder: 'Queue the next prompt', way: 'queue', label: 'Queue', isBusy: true };
  const placeholder =
    status.retry !== null
      ? 'Its provider does not answer; the agent hears this when it does'
      : status.permissions.length > 0
        ? 'Steer the agent, once you have answered it'
        : 'Steer the agent';
  return { placeholder, way: 'steer', label: 'Steer', isBusy: true };
}
