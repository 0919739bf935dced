// By which rules does each of opencode's agents work: the main one, those of the user, and sub-agents?
//
// Taken from what the server says of its agents, because only there the rules stand in the order in which they hold: in what
// it says of its configuration, `*` comes after the names that the user wrote behind it.

import { ASKED, isOurs } from './settings.mjs';

/**
 * @typedef {object} Rule
 * @property {string} permission a pattern
 * @property {string} pattern
 * @property {string} action
 * @property {boolean} [own] whether the user wrote it, and not opencode
 * @property {boolean} [exact] whether the pattern is to be taken literally
 */

/** The agent that works when none is named. */
const MAIN = 'build';

/** The rules of all agents of one server. */
export class AgentRules {
  /** @type {Map<string, Rule[]>} */ #rules = new Map();
  /** Whose a message is, by its id; and who speaks in a session. @type {Map<string, string>} */ #agents = new Map();

  /**
   * @param {Record<string, any>[]} agents as the server tells them
   * @param {Record<string, any>} config as the server tells it
   */
  constructor(agents, config) {
    for (const agent of agents) this.#rules.set(agent.name, rulesOf(agent, config));
  }

  get names() {
    return [...this.#rules.keys()];
  }

  /**
   * Notes which agent speaks.
   * @param {{ id?: string, sessionID?: string, agent?: string }} message of an agent
   */
  hear({ id, sessionID, agent }) {
    if (!agent) return;
    for (const key of [id, sessionID]) if (key) this.#agents.set(key, agent);
  }

  /**
   * @param {{ sessionID?: string, tool?: { messageID?: string } }} asked the properties of `permission.asked`
   * @returns {Rule[]} of the agent that asks, in order; the last one that fits holds
   */
  of({ sessionID = '', tool }) {
    const name = this.#agents.get(tool?.messageID ?? '') ?? this.#agents.get(sessionID) ?? MAIN;
    return this.#rules.get(name) ?? [];
  }
}

/**
 * @param {Record<string, any>} agent
 * @param {Record<string, any>} config
 * @returns {Rule[]} without this runner's own
 */
export function rulesOf({ name, permission }, config) {
  const written = new Set([...entries(config.permission), ...entries(config.agent?.[name]?.permission)].map(key));
  return inOrder(permission)
    .filter((rule) => !isOurs(rule.permission))
    .map(({ permission: of, pattern, action }) => {
      const rule = { permission: of, pattern, action };
      return { ...rule, own: written.has(key(rule)) };
    });
}

/**
 * Agents whose own rules, written by the user, stand behind this runner's: what they allow would be done unasked, in plan mode
 * too.
 * @param {Record<string, any>[]} agents as the server tells them
 * @returns {string[]} their names
 */
export function agentsPastUs(agents) {
  const passes = (/** @type {Rule} */ { permission, action }) =>
    action === 'allow' && permission !== 'external_directory';
  return agents
    .filter((agent) => {
      const rules = inOrder(agent.permission);
      return rules.slice(rules.findLastIndex((rule) => rule.permission === LAST_OF_OURS) + 1).some(passes);
    })
    .map((agent) => agent.name);
}

const LAST_OF_OURS = /** @type {string} */ (Object.keys(ASKED).at(-1));

/**
 * @param {unknown} rules
 * @returns {Rule[]}
 */
const inOrder = (rules) => (Array.isArray(rules) ? rules : []);

/** @param {Rule} rule */
const key = ({ permission, pattern, action }) => JSON.stringify([permission, pattern, action]);

/**
 * @param {any} permission as it is written in a configuration: one word, or rules by name
 * @returns {Rule[]}
 */
function entries(permission) {
  if (typeof permission === 'string') return [{ permission: '*', pattern: '*', action: permission }];
  return Object.entries(permission ?? {}).flatMap(([name, rule]) => {
    const patterns = typeof rule === 'string' ? { '*': rule } : rule;
    return Object.entries(patterns ?? {}).map(([pattern, action]) => ({
      permission: name,
      pattern,
      action: String(action),
    }));
  });
}
