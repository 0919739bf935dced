// In which state is a session with its agent, and what follows when something happens? Pure: nothing is sent, started or waited
// for here; agent_session.mjs does what comes out.
//
// The same for every agent. What a prompt, a steer or an interrupt is in an agent's own words is its runner's business.

import { definedOnly } from './agent_lines.mjs';

/** @typedef {Record<string, any>} Prompt a `query` of the host, or `{prompt}` alone */
/** @typedef {{ model?: string, permissionMode?: string }} Change */
/**
 * The turn that runs. `asked`: the agent was given a prompt and has not begun; `open`: it works, or it began a turn by itself.
 * @typedef {{ phase: 'asked', interrupt: boolean } | { phase: 'open' }} Turn
 */

/** Nothing was started; `change` waits for the first query. @typedef {{ is: 'new', change: Change }} New */
/**
 * The agent is being started: it has heard of none of the prompts.
 * @typedef {{ is: 'starting', waiting: Prompt[], change: Change }} Starting
 */
/** The agent waits for a prompt. @typedef {{ is: 'idle' }} Idle */
/** A turn runs; what waits becomes further turns, in order. @typedef {{ is: 'working', turn: Turn, waiting: Prompt[] }} Working */
/** The agent is being ended. @typedef {{ is: 'stopping' }} Stopping */
/** There is no agent any more. @typedef {{ is: 'ended' }} Ended */
/** @typedef {New | Starting | Idle | Working | Stopping | Ended} State */

/**
 * What happens. From the host: `query`, `steer`, `interrupt`, `set`, `stop`. From the agent: `started` (it takes prompts now),
 * `opened` (a turn runs), `closed` (a turn has ended; `late` are messages into it that it has not taken), `steerLeft` (it did
 * not take a message into the turn), `exited`.
 * @typedef {{ type: 'query', query: Prompt } | { type: 'steer', text: string } | { type: 'interrupt' }
 *   | { type: 'set', change: Change } | { type: 'stop' } | { type: 'started' } | { type: 'opened' }
 *   | { type: 'closed', late: string[] } | { type: 'steerLeft', text: string } | { type: 'exited' }} Event
 */

/**
 * What is to be done, in order. `refuse` tells the host that a command cannot be followed; `dropTurn` tells it that the prompt
 * it waits for was interrupted before the agent heard of it.
 * @typedef {{ do: 'start', query: Prompt } | { do: 'prompt', query: Prompt } | { do: 'steer', text: string }
 *   | { do: 'accept', how: 'now' | 'queued' } | { do: 'interrupt' } | { do: 'set', change: Change }
 *   | { do: 'log', message: string } | { do: 'refuse', message: string } | { do: 'dropTurn' }} Act
 */

/** @typedef {{ state: State, acts: Act[] }} Step */

/** @type {New} */
export const BEGINNING = { is: 'new', change: {} };

const NO_AGENT = 'no agent is running yet';
const NO_TURN = 'interrupt: no turn is running';
const WAITS = 'a turn is running; the prompt waits for its end';
const ENDING = 'the session has ended, or is about to';

/**
 * @param {State} state
 * @param {Event} event
 * @returns {Step}
 */
export function next(state, event) {
  const follow = /** @type {(state: State, event: Event) => Step} */ (TRANSITIONS[state.is][event.type]);
  return follow(state, event);
}

/**
 * @param {State} state
 * @param {Act[]} acts
 * @returns {Step}
 */
const step = (state, ...acts) => ({ state, acts });

/** @param {State} state */
const nothing = (state) => step(state);

/**
 * @param {State} state
 * @returns {Step}
 */
const refused = (state) => step(state, { do: 'refuse', message: ENDING });

/**
 * @param {Prompt} query
 * @param {Prompt[]} waiting
 * @returns {Step}
 */
const prompted = (query, waiting) =>
  step({ is: 'working', turn: { phase: 'asked', interrupt: false }, waiting }, { do: 'prompt', query });

/**
 * The next of the waiting prompts, if there is one.
 * @param {Prompt[]} waiting
 * @returns {Step}
 */
const goOn = ([first, ...rest]) => (first === undefined ? step({ is: 'idle' }) : prompted(first, rest));

/**
 * @param {string} text
 * @returns {Prompt}
 */
const asPrompt = (text) => ({ prompt: text });

/**
 * Only what was really changed.
 * @param {Change} before
 * @param {Change} change
 * @returns {Change}
 */
function merged(before, { model, permissionMode }) {
  return { model: model ?? before.model, permissionMode: permissionMode ?? before.permissionMode };
}

/** @param {Change} change */
const isEmpty = ({ model, permissionMode }) => model === undefined && permissionMode === undefined;

/**
 * @template {State['is']} Name
 * @typedef {{ [Type in Event['type']]:
 *   (state: Extract<State, { is: Name }>, event: Extract<Event, { type: Type }>) => Step }} Transitions
 */

/** @type {Transitions<'new'>} */
const NEW = {
  query: ({ change }, { query }) =>
    step(
      { is: 'starting', waiting: [query], change: {} },
      { do: 'start', query: { ...query, ...definedOnly(change) } },
    ),
  steer: (state) => step(state, { do: 'refuse', message: NO_AGENT }),
  interrupt: (state) => step(state, { do: 'log', message: NO_TURN }),
  set: (state, { change }) => step({ is: 'new', change: merged(state.change, change) }),
  stop: () => step({ is: 'stopping' }),
  started: nothing,
  opened: nothing,
  closed: nothing,
  steerLeft: nothing,
  exited: () => step({ is: 'ended' }),
};

/** @type {Transitions<'starting'>} */
const STARTING = {
  query: (state, { query }) => step({ ...state, waiting: [...state.waiting, query] }, { do: 'log', message: WAITS }),
  steer: (state, { text }) =>
    step({ ...state, waiting: [...state.waiting, asPrompt(text)] }, { do: 'accept', how: 'queued' }),
  // A start may take a minute, and the agent has heard of nothing: no need to wait for it.
  interrupt: (state) =>
    state.waiting.length === 0
      ? step(state, { do: 'log', message: 'interrupt: no prompt waits for the start' })
      : step({ ...state, waiting: [] }, { do: 'dropTurn' }),
  set: (state, { change }) => step({ ...state, change: merged(state.change, change) }),
  stop: () => step({ is: 'stopping' }),
  started: ({ waiting, change }) => {
    const { state, acts } = goOn(waiting);
    return isEmpty(change) ? step(state, ...acts) : step(state, { do: 'set', change }, ...acts);
  },
  opened: nothing,
  closed: nothing,
  steerLeft: nothing,
  exited: () => step({ is: 'ended' }),
};

/** @type {Transitions<'idle'>} */
const IDLE = {
  query: (_state, { query }) => prompted(query, []),
  steer: (_state, { text }) => {
    const { state, acts } = prompted(asPrompt(text), []);
    return step(state, { do: 'accept', how: 'now' }, ...acts);
  },
  interrupt: (state) => step(state, { do: 'log', message: NO_TURN }),
  set: (state, { change }) => step(state, { do: 'set', change }),
  stop: () => step({ is: 'stopping' }),
  started: nothing,
  // Nobody asked for it: a task in the background reports back.
  opened: () => step({ is: 'working', turn: { phase: 'open' }, waiting: [] }),
  closed: (_state, { late }) => goOn(late.map(asPrompt)),
  steerLeft: (_state, { text }) => {
    const { state, acts } = prompted(asPrompt(text), []);
    return step(state, { do: 'accept', how: 'queued' }, ...acts);
  },
  exited: () => step({ is: 'ended' }),
};

/** @type {Transitions<'working'>} */
const WORKING = {
  query: (state, { query }) => step({ ...state, waiting: [...state.waiting, query] }, { do: 'log', message: WAITS }),
  steer: (state, { text }) => step(state, { do: 'steer', text }),
  interrupt: (state) =>
    state.turn.phase === 'open'
      ? step(state, { do: 'interrupt' })
      : step({ ...state, turn: { phase: 'asked', interrupt: true } }),
  set: (state, { change }) => step(state, { do: 'set', change }),
  stop: () => step({ is: 'stopping' }),
  started: nothing,
  opened: (state) =>
    step(
      { ...state, turn: { phase: 'open' } },
      ...(state.turn.phase === 'asked' && state.turn.interrupt ? [/** @type {Act} */ ({ do: 'interrupt' })] : []),
    ),
  closed: ({ waiting }, { late }) => goOn([...late.map(asPrompt), ...waiting]),
  steerLeft: (state, { text }) =>
    step({ ...state, waiting: [...state.waiting, asPrompt(text)] }, { do: 'accept', how: 'queued' }),
  exited: () => step({ is: 'ended' }),
};

/** @type {Transitions<'stopping'>} */
const STOPPING = {
  query: refused,
  steer: refused,
  interrupt: nothing,
  set: nothing,
  stop: nothing,
  started: nothing,
  opened: nothing,
  closed: nothing,
  steerLeft: nothing,
  exited: () => step({ is: 'ended' }),
};

/** @type {Transitions<'ended'>} */
const ENDED = {
  query: refused,
  steer: refused,
  interrupt: nothing,
  set: nothing,
  stop: nothing,
  started: nothing,
  opened: nothing,
  closed: nothing,
  steerLeft: nothing,
  exited: nothing,
};

/** Every state with every event. @type {{ [Name in State['is']]: Transitions<Name> }} */
export const TRANSITIONS = {
  new: NEW,
  starting: STARTING,
  idle: IDLE,
  working: WORKING,
  stopping: STOPPING,
  ended: ENDED,
};
