// What can be done in a window, whatever session is open, and by which keys?

import { asWireError } from '../../host/host';
import type { SessionId } from '../../protocol/SessionId';
import type { Action } from '../../state/actions.svelte';
import type { Workspace } from '../../state/workspace.svelte';

/** The actions of the window itself. */
export function windowActions(workspace: Workspace): Action[] {
  return [...sessionActions(workspace), ...paneActions(workspace), ...placeActions(workspace)];
}

function sessionActions(workspace: Workspace): Action[] {
  const about = 'Sessions';
  const session = workspace.view?.session;
  const notified: Action = {
    id: 'notified',
    title: 'Turn notifications of this session on or off',
    about,
    words: ['mute quiet'],
    run: () => session !== undefined && told(workspace, turnNotified(workspace, session)),
  };
  return [
    ...(session === undefined ? [] : [notified, ...podActions(workspace, session)]),
    { id: 'new', title: 'New session', about, keys: 'Mod+N', run: () => workspace.openNew() },
    {
      id: 'previous',
      title: 'Go to the session above',
      about,
      keys: 'Alt+ArrowUp',
      repeats: true,
      run: () => workspace.step(-1),
    },
    {
      id: 'next',
      title: 'Go to the session below',
      about,
      keys: 'Alt+ArrowDown',
      repeats: true,
      run: () => workspace.step(1),
    },
    {
      id: 'inbox',
      title: 'Show requests that wait for you',
      about,
      keys: 'Alt+I',
      words: ['inbox permission'],
      run: () => (workspace.inbox.isOpen = true),
    },
    {
      id: 'seen',
      title: 'Mark every session as read',
      about,
      words: ['unread'],
      run: () => workspace.seeAll(),
    },
  ];
}

function podActions({ pods }: Workspace, session: SessionId): Action[] {
  const about = 'Pods';
  return [
    {
      id: 'pod-start',
      title: 'Start a pod below this session…',
      about,
      keys: 'Alt+P',
      words: ['sub-agent spawn delegate scope'],
      run: () => (pods.question = { type: 'start', parent: session }),
    },
    {
      id: 'pods-stop',
      title: 'Stop all pods below this session…',
      about,
      words: ['end kill tree'],
      run: () => (pods.question = { type: 'stop', session, itself: false }),
    },
  ];
}

function paneActions(workspace: Workspace): Action[] {
  const { panes } = workspace;
  const about = 'View';
  const actions: Action[] = [
    {
      id: 'list',
      title: workspace.sidebarIsOpen ? 'Hide the list of sessions' : 'Show the list of sessions',
      about,
      keys: 'Mod+B',
      words: ['sidebar'],
      run: () => workspace.toggleSidebar(),
    },
    {
      id: 'inspector',
      title: workspace.inspectorIsOpen ? 'Hide the inspector' : 'Show the inspector',
      about,
      keys: 'Mod+I',
      run: () => workspace.toggleInspector(),
    },
    { id: 'pods', title: 'Inspect pods', about, words: ['tree scope budget'], run: () => workspace.inspect('pods') },
    { id: 'details', title: 'Inspect details', about, words: ['usage id'], run: () => workspace.inspect('details') },
    { id: 'processes', title: 'Inspect processes', about, words: ['cpu'], run: () => workspace.inspect('processes') },
    { id: 'raw', title: 'Inspect raw records', about, words: ['journal'], run: () => workspace.inspect('raw') },
  ];
  if (!panes.isFull)
    actions.push({
      id: 'split',
      title: 'Split: show one more session beside',
      about,
      keys: 'Mod+\\',
      run: () => workspace.split(),
    });
  if (panes.all.length > 1) actions.push(...splitActions(workspace, about));
  return actions;
}

function splitActions(workspace: Workspace, about: string): Action[] {
  const { panes } = workspace;
  return [
    { id: 'close-pane', title: 'Close this pane', about, keys: 'Alt+W', run: () => workspace.closePane(panes.active) },
    { id: 'only-pane', title: 'Close the other panes', about, run: () => workspace.closeOtherPanes() },
    ...panes.all.map((pane, place) => ({
      id: `pane-${place + 1}`,
      title: `Go to pane ${place + 1}: ${pane.view?.summary?.title ?? 'New session'}`,
      about,
      keys: `Mod+${place + 1}`,
      run: () => workspace.activatePane(place, true),
    })),
  ];
}

function placeActions(workspace: Workspace): Action[] {
  const about = 'Outrigger';
  return [
    {
      id: 'palette',
      title: 'Go to or do anything',
      about,
      keys: 'Mod+K',
      run: () => (workspace.paletteIsOpen = true),
    },
    {
      id: 'folder',
      title: 'Open another folder…',
      about,
      keys: 'Mod+O',
      words: ['workspace'],
      run: () => openFolder(workspace),
    },
    {
      id: 'logs',
      title: 'Open the folder of logs',
      about,
      run: () => told(workspace, workspace.host.openLogs()),
    },
    {
      id: 'agents',
      title: 'Look for agents again',
      about,
      words: ['refresh providers'],
      run: () => void workspace.refreshChoices(true),
    },
  ];
}

/** Notifies about a session, or no more, and says which. */
async function turnNotified(workspace: Workspace, session: SessionId): Promise<void> {
  const notified = !(await workspace.host.isNotified(session));
  await workspace.host.setNotified(session, notified);
  workspace.announce(notified ? 'You are notified about this session' : 'You are not notified about this session');
}

/** Asks for a folder and opens its window. */
export function openFolder(workspace: Workspace): void {
  const { host } = workspace;
  told(
    workspace,
    host.pickFolder().then((path) => (path === null ? undefined : host.openWorkspace(path))),
  );
}

/** Tells in the status line what went wrong, if it did. */
export function told(workspace: Workspace, action: Promise<unknown>): void {
  action.catch((thrown: unknown) => workspace.announce(`Error: ${asWireError(thrown).message}`));
}
