// How does a hit open its session? In this window where it belongs here, otherwise in the window of its folder.

import type { SearchHit } from '../../protocol/SearchHit';
import type { Workspace } from '../../state/workspace.svelte';
import { told } from '../frame/window_actions';

/** Opens the session of a hit at the place of the hit. */
export function openHit(workspace: Workspace, hit: SearchHit, beside: boolean): void {
  const words = hit.snippet.find((part) => part.hit)?.text ?? '';
  const target = { session: hit.session, item: hit.item, words };
  if (hit.workspace === workspace.info?.workspace) workspace.openAt(target, beside);
  else told(workspace, workspace.openElsewhere(hit.workspace, target));
}
