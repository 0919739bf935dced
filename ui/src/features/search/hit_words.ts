// What are the sorts of hits called, and which times can be asked for?

import Bot from '@lucide/svelte/icons/bot';
import Brain from '@lucide/svelte/icons/brain';
import CircleAlert from '@lucide/svelte/icons/circle-alert';
import Hammer from '@lucide/svelte/icons/hammer';
import MessageSquare from '@lucide/svelte/icons/message-square';
import type { SearchKind } from '../../protocol/SearchKind';
import type { Since } from './search_state.svelte';

/** A hit's sort, as it is said and drawn. */
export const kindWords = {
  prompt: { word: 'You', icon: MessageSquare },
  message: { word: 'Agent', icon: Bot },
  thought: { word: 'Thought', icon: Brain },
  toolCall: { word: 'Tool call', icon: Hammer },
  error: { word: 'Error', icon: CircleAlert },
} as const;

export const kindChoices: { value: SearchKind | ''; label: string }[] = [
  { value: '', label: 'Everything' },
  { value: 'prompt', label: 'What you said' },
  { value: 'message', label: 'What agents said' },
  { value: 'thought', label: 'Thoughts' },
  { value: 'toolCall', label: 'Commands and other tools' },
  { value: 'error', label: 'Errors' },
];

export const sinceChoices: { value: Since; label: string }[] = [
  { value: 'any', label: 'Any time' },
  { value: '1', label: 'Last 24 hours' },
  { value: '7', label: 'Last 7 days' },
  { value: '30', label: 'Last 30 days' },
  { value: '365', label: 'Last year' },
];
