// What may an agent do without asking? The modes in the words of the pickers.

import type { PermissionMode } from '../../protocol/PermissionMode';

/** The modes, most careful first. */
export const modes: { value: PermissionMode; label: string; hint: string }[] = [
  { value: 'plan', label: 'Plan only', hint: 'Reads and plans, changes nothing' },
  { value: 'ask', label: 'Ask first', hint: 'Asks before it changes files or runs commands' },
  { value: 'acceptEdits', label: 'Accept edits', hint: 'Edits files freely, asks before commands' },
  { value: 'bypass', label: 'Bypass', hint: 'Never asks. Only for throw-away places' },
];
