// Which places are there, what are they called, and by which keys are they reached? Read by the palette, the keys and the side list.

import ChartColumn from '@lucide/svelte/icons/chart-column';
import Blocks from '@lucide/svelte/icons/blocks';
import ScrollText from '@lucide/svelte/icons/scroll-text';
import Search from '@lucide/svelte/icons/search';
import SettingsIcon from '@lucide/svelte/icons/settings';
import Stethoscope from '@lucide/svelte/icons/stethoscope';
import type { Component } from 'svelte';
import type { Action } from '../../state/actions.svelte';
import type { Place } from '../../state/places.svelte';
import type { Workspace } from '../../state/workspace.svelte';

export interface PlaceInfo {
  place: Place;
  title: string;
  icon: Component<{ size?: number | string; 'aria-hidden'?: 'true' }>;
  keys: string;
  /** Words by which the palette finds it too. */
  words: string[];
}

/** Every place, in the order in which they are offered. */
export const placeList: PlaceInfo[] = [
  {
    place: 'search',
    title: 'Search all sessions',
    icon: Search,
    keys: 'Mod+Shift+F',
    words: ['find text'],
  },
  { place: 'usage', title: 'Usage', icon: ChartColumn, keys: 'Alt+U', words: ['cost tokens money budget statistics'] },
  { place: 'sidecars', title: 'Sidecars', icon: Blocks, keys: 'Alt+S', words: ['tools mcp'] },
  { place: 'debugLog', title: 'Debug log', icon: ScrollText, keys: 'Alt+G', words: ['logs errors export trouble'] },
  {
    place: 'doctor',
    title: 'Doctor',
    icon: Stethoscope,
    keys: 'Alt+D',
    words: ['agents cli found problem path limits'],
  },
  { place: 'settings', title: 'Settings', icon: SettingsIcon, keys: 'Mod+,', words: ['preferences config options'] },
];

/** What the window offers to get to the places and back. */
export function placeActions({ places }: Workspace): Action[] {
  const about = 'Outrigger';
  const actions: Action[] = placeList.map(({ place, title, keys, words }) => ({
    id: place,
    title: place === 'search' ? title : `Open ${title.toLowerCase()}`,
    about,
    keys,
    words,
    run: () => places.toggle(place),
  }));
  if (places.canGoBack) actions.push({ id: 'back', title: 'Go back', about, keys: 'Mod+[', run: () => places.back() });
  return actions;
}
