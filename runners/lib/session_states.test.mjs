// The states of a session, alone: every event in every state, and the paths that hosts and agents take through them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BEGINNING, TRANSITIONS, next } from './session_states.mjs';

/** @typedef {import('./session_states.mjs').State} State */
/** @typedef {import('./session_states.mjs').Event} Event */

const query = (prompt = 'x') => /** @type {Event} */ ({ type: 'query', query: { prompt } });
const steer = (text = 's') => /** @type {Event} */ ({ type: 'steer', text });
const closed = (/** @type {string[]} */ ...late) => /** @type {Event} */ ({ type: 'closed', late });
const event = (/** @type {any} */ type) => /** @type {Event} */ ({ type });

/** One state of each kind. @type {State[]} */
const STATES = [
  { is: 'new', change: {} },
  { is: 'starting', waiting: [{ prompt: 'first' }], change: {} },
  { is: 'idle' },
  { is: 'working', turn: { phase: 'asked', interrupt: false }, waiting: [{ prompt: 'waits' }] },
  { is: 'working', turn: { phase: 'open' }, waiting: [] },
  { is: 'stopping' },
  { is: 'ended' },
];
/** @type {Event[]} */
const EVENTS = [
  query(),
  steer(),
  event('interrupt'),
  { type: 'set', change: { model: 'm' } },
  event('stop'),
  event('started'),
  event('opened'),
  closed(),
  { type: 'steerLeft', text: 'left' },
  event('exited'),
];

/**
 * Goes through events from a state, and gives where it came to and everything that was to be done.
 * @param {State} state
 * @param {Event[]} events
 */
function through(state, ...events) {
  const acts = events.flatMap((one) => {
    const step = next(state, one);
    state = step.state;
    return step.acts;
  });
  return { state, acts, does: acts.map((act) => act.do).join(' ') };
}

describe('every event in every state', () => {
  for (const state of STATES)
    for (const one of EVENTS)
      test(`${one.type} while ${state.is}${state.is === 'working' ? ` (${state.turn.phase})` : ''}`, () => {
        const before = structuredClone(state);
        const after = next(Object.freeze(state), one);
        assert.equal(after.state.is in TRANSITIONS, true);
        assert.deepEqual(state, before, 'it is pure');
        assert.deepEqual(next(state, one), after);
      });

  test('there is a transition for each, and no other', () => {
    const types = EVENTS.map((one) => one.type).sort();
    for (const [name, transitions] of Object.entries(TRANSITIONS))
      assert.deepEqual(Object.keys(transitions).sort(), types, name);
    assert.deepEqual([...new Set(STATES.map((state) => state.is))].sort(), Object.keys(TRANSITIONS).sort());
  });

  test('an end is an end', () => {
    for (const one of EVENTS) {
      assert.equal(next({ is: 'ended' }, one).state.is, 'ended');
      assert.equal(['stopping', 'ended'].includes(next({ is: 'stopping' }, one).state.is), true);
    }
    for (const state of STATES) {
      assert.equal(next(state, event('exited')).state.is, 'ended');
      assert.equal(['stopping', 'ended'].includes(next(state, event('stop')).state.is), true);
    }
  });
});

describe('paths', () => {
  test('a first prompt starts the agent and is given to it, and the next one in the same way without a start', () => {
    const first = through(BEGINNING, query('one'), event('started'), event('opened'), closed());
    assert.equal(first.does, 'start prompt');
    assert.deepEqual(first.state, { is: 'idle' });
    assert.deepEqual(first.acts[1], { do: 'prompt', query: { prompt: 'one' } });
    assert.equal(through(first.state, query('two')).does, 'prompt');
  });

  test('what was set before the start is part of the first query; what is set during it is set before the first prompt', () => {
    const set = (/** @type {any} */ change) => /** @type {Event} */ ({ type: 'set', change });
    const early = through(BEGINNING, set({ model: 'a' }), set({ model: 'b', permissionMode: undefined }), query());
    assert.deepEqual(early.acts, [{ do: 'start', query: { prompt: 'x', model: 'b' } }]);
    const during = through(early.state, set({ permissionMode: 'plan' }), event('started'));
    assert.equal(during.does, 'set prompt');
    assert.deepEqual(during.acts[0], { do: 'set', change: { model: undefined, permissionMode: 'plan' } });
  });

  test('prompts wait for the start and for the turn, in order; each turn takes one', () => {
    const starting = through(BEGINNING, query('one'), query('two'), steer('three'), event('started'));
    assert.equal(starting.does, 'start log accept prompt');
    const second = through(starting.state, event('opened'), query('four'), closed());
    assert.deepEqual(second.acts.at(-1), { do: 'prompt', query: { prompt: 'two' } });
    const rest = through(second.state, closed(), closed(), closed());
    assert.deepEqual(
      rest.acts.map((act) => act.do === 'prompt' && act.query.prompt),
      ['three', 'four'],
    );
    assert.deepEqual(rest.state, { is: 'idle' });
  });

  test('a steer goes into the turn; one that the turn leaves waits, one that came too late is the next prompt', () => {
    /** @type {State} */
    const working = { is: 'working', turn: { phase: 'open' }, waiting: [{ prompt: 'waits' }] };
    assert.deepEqual(through(working, steer('s')).acts, [{ do: 'steer', text: 's' }]);
    const left = through(working, { type: 'steerLeft', text: 's' }, closed(), closed());
    assert.deepEqual(
      left.acts.map((act) => (act.do === 'prompt' ? act.query.prompt : act.do)),
      ['accept', 'waits', 's'],
    );
    const late = through(working, closed('too late'));
    assert.deepEqual(late.acts, [{ do: 'prompt', query: { prompt: 'too late' } }]);
    assert.equal(through({ is: 'idle' }, { type: 'steerLeft', text: 's' }).does, 'accept prompt');
    assert.equal(through({ is: 'idle' }, steer()).does, 'accept prompt');
    assert.deepEqual(through(BEGINNING, steer()).acts, [{ do: 'refuse', message: 'no agent is running yet' }]);
  });

  test('an interrupt reaches the turn, also one that is about to begin, and drops what waits for the start', () => {
    const asked = through({ is: 'idle' }, query(), event('interrupt'));
    assert.equal(asked.does, 'prompt');
    assert.equal(through(asked.state, event('opened')).does, 'interrupt');
    assert.equal(through(asked.state, event('opened'), event('opened')).does, 'interrupt', 'once');
    assert.equal(through(asked.state, closed(), query(), event('opened')).does, 'prompt', 'the next turn is not meant');
    const starting = through(BEGINNING, query(), event('interrupt'), event('interrupt'), event('started'));
    assert.equal(starting.does, 'start dropTurn log');
    assert.deepEqual(starting.state, { is: 'idle' });
    assert.equal(through({ is: 'idle' }, event('interrupt')).does, 'log');
  });

  test('a turn that the agent begins by itself is one: prompts wait for its end', () => {
    const own = through({ is: 'idle' }, event('opened'), query('mine'), closed());
    assert.equal(own.does, 'log prompt');
  });

  test('after a stop nothing is begun, and commands are refused', () => {
    const working = through(
      { is: 'idle' },
      query('one'),
      query('two'),
      event('stop'),
      closed('late'),
      event('started'),
    );
    assert.equal(working.does, 'prompt log');
    assert.equal(through(working.state, query(), steer(), event('interrupt')).does, 'refuse refuse');
  });
});
