// What may an agent do without asking, and which models has it? In the words of the pickers.

import type { ModelChoice } from '../../protocol/ModelChoice';
import type { OfferedModel } from '../../protocol/OfferedModel';
import type { PermissionMode } from '../../protocol/PermissionMode';

/** The modes, most careful first. */
export const modes: { value: PermissionMode; label: string; hint: string }[] = [
  { value: 'plan', label: 'Plan only', hint: 'Reads and plans, changes nothing' },
  { value: 'ask', label: 'Ask first', hint: 'Asks before it changes files or runs commands' },
  { value: 'acceptEdits', label: 'Accept edits', hint: 'Edits files freely, asks before commands' },
  { value: 'bypass', label: 'Bypass', hint: 'Never asks. Only for throw-away places' },
];

/** A model, as a picker shows it. */
export interface PickedModel {
  value: string;
  label: string;
  hint?: string;
}

/** The models that a running agent offers; until it has told them, those of its manifest. The one in use is always among them. */
export function modelsFor(offered: OfferedModel[], manifest: ModelChoice[], inUse: string): PickedModel[] {
  const known: PickedModel[] =
    offered.length > 0
      ? offered.map(({ id, name, description }) => ({ value: id, label: name, hint: description ?? undefined }))
      : manifest.map(({ id, name }) => ({ value: id, label: name }));
  const isKnown = inUse === '' || known.some(({ value }) => value === inUse);
  return isKnown ? known : [{ value: inUse, label: inUse }, ...known];
}
