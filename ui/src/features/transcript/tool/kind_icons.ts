// Which sign stands for which kind of tool call?

import Bot from '@lucide/svelte/icons/bot';
import Brain from '@lucide/svelte/icons/brain';
import FilePen from '@lucide/svelte/icons/file-pen';
import FileText from '@lucide/svelte/icons/file-text';
import FolderInput from '@lucide/svelte/icons/folder-input';
import Globe from '@lucide/svelte/icons/globe';
import Search from '@lucide/svelte/icons/search';
import SquareTerminal from '@lucide/svelte/icons/square-terminal';
import Trash2 from '@lucide/svelte/icons/trash-2';
import Wrench from '@lucide/svelte/icons/wrench';
import type { Component } from 'svelte';
import type { ToolKind } from '../../../protocol/ToolKind';

/** The icon of each kind. */
export const kindIcons: Record<ToolKind, Component<{ size?: number | string; 'aria-hidden'?: 'true' }>> = {
  read: FileText,
  edit: FilePen,
  delete: Trash2,
  move: FolderInput,
  search: Search,
  execute: SquareTerminal,
  think: Brain,
  fetch: Globe,
  delegate: Bot,
  other: Wrench,
};
