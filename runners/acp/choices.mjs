// Which models and modes does the agent offer, and which request chooses one?
//
// Agents offer them in two ways, as `modes` and `models` or as `configOptions`, and some in both; the older way is taken first.

/** @typedef {{ id: string, name: string, description?: string }} Choice */
/** @typedef {{ method: string, params: Record<string, unknown> }} Request */

/** Names of modes that mean what ours mean, for agents without an entry in the table of quirks. @type {Record<string, RegExp>} */
const MODE_NAMES = {
  ask: /^(default|ask|manual|normal|read-?only)$/i,
  acceptEdits: /accept.?edits|auto.?(accept.?)?edits?|workspace.?write/i,
  plan: /^(plan|planning|architect)$/i,
  bypass: /bypass|yolo|full.?access|auto.?approve/i,
};

/** Something that the agent does not offer. */
export class NotOffered extends Error {}

/** What one session can choose from. */
export class Choices {
  /** @type {Choice[]} */ #modes = [];
  /** @type {Choice[]} */ #models = [];
  /** @type {Record<string, any>[]} */ #options = [];
  /** @type {{ name: string, description?: string, hint?: string }[]} */ #commands = [];
  #modeIs = '';
  #modelIs = '';

  /** @param {Record<string, any>} opened the answer to a session that was begun or opened */
  learn({ modes, models, configOptions }) {
    const list = (/** @type {any} */ of) => (Array.isArray(of) ? of : []);
    this.#modes = list(modes?.availableModes);
    this.#models = list(models?.availableModels).map((/** @type {any} */ { modelId, name }) => ({ id: modelId, name }));
    this.#modeIs = modes?.currentModeId ?? '';
    this.#modelIs = models?.currentModelId ?? '';
    this.#options = list(configOptions);
  }

  /** @param {Record<string, any>} update */
  hear({ sessionUpdate, currentModeId, configOptions, availableCommands }) {
    if (sessionUpdate === 'available_commands_update' && Array.isArray(availableCommands))
      this.#commands = availableCommands.map(({ name, description, input }) => ({
        name,
        description: description || undefined,
        hint: input?.hint || undefined,
      }));
    if (sessionUpdate === 'current_mode_update' && currentModeId) this.#modeIs = currentModeId;
    if (sessionUpdate === 'config_option_update' && Array.isArray(configOptions)) this.#options = configOptions;
  }

  /** The agent has followed a request. @param {Request} request */
  took({ params }) {
    if (typeof params.modeId === 'string') this.#modeIs = params.modeId;
    if (typeof params.modelId === 'string') this.#modelIs = params.modelId;
  }

  /** What a person can choose from. @returns {import('../lib/agent_lines.mjs').AgentOffers} */
  get offers() {
    return { commands: this.#commands, models: this.#offeredModels() };
  }

  /**
   * Which of our modes a mode of the agent is; one that is none of them lets the agent ask as it likes.
   * @param {string} native
   * @param {Partial<Record<string, string>>} [table] its mode for each of ours
   * @returns {'ask' | 'acceptEdits' | 'plan' | 'bypass'}
   */
  meaningOf(native, table = {}) {
    const ours = /** @type {const} */ (['ask', 'acceptEdits', 'plan', 'bypass']);
    return ours.find((mode) => table[mode] === native) ?? ours.find((mode) => fits(mode, native)) ?? 'ask';
  }

  /** The model in use, as far as the agent tells. */
  get model() {
    return this.#modelIs || this.#option('model')?.currentValue || undefined;
  }

  /**
   * @param {string} model its id or name
   * @returns {Request | null} null when it is chosen already
   * @throws {NotOffered}
   */
  modelRequest(model) {
    const option = this.#option('model');
    const offered = this.#offeredModels();
    const wanted = offered.find(({ id, name }) => id === model || name === model);
    if (!wanted) throw new NotOffered(`it offers no model ${JSON.stringify(model)}; ${listed('models', offered)}`);
    if (wanted.id === this.model) return null;
    if (this.#models.length > 0) return { method: 'session/set_model', params: { modelId: wanted.id } };
    return { method: 'session/set_config_option', params: { configId: option?.id, value: wanted.id } };
  }

  /**
   * @param {string} mode one of ours
   * @param {string | undefined} native the agent's, as the table of quirks has it
   * @returns {Request | null} null when it is chosen already, or when the runner itself does what the mode means
   * @throws {NotOffered}
   */
  modeRequest(mode, native) {
    const option = this.#option('mode');
    const offered = this.#modes.length > 0 ? this.#modes : values(option);
    const wanted =
      offered.find(({ id }) => id === native) ?? offered.find(({ id, name }) => fits(mode, id) || fits(mode, name));
    if (!wanted && mode === 'plan') throw new NotOffered(`it has no plan mode; ${listed('modes', offered)}`);
    const is = this.#modes.length > 0 ? this.#modeIs : option?.currentValue;
    if (!wanted || wanted.id === is) return null;
    if (this.#modes.length > 0) return { method: 'session/set_mode', params: { modeId: wanted.id } };
    return { method: 'session/set_config_option', params: { configId: option?.id, value: wanted.id } };
  }

  #offeredModels() {
    return this.#models.length > 0 ? this.#models : values(this.#option('model'));
  }

  /** @param {string} category */
  #option(category) {
    return this.#options.find((option) => option.category === category && Array.isArray(option.options));
  }
}

/**
 * @param {string} mode
 * @param {string} word
 */
const fits = (mode, word) => MODE_NAMES[mode]?.test(word ?? '') ?? false;

/**
 * The values of an option; some come in groups.
 * @param {Record<string, any>} [option]
 * @returns {Choice[]}
 */
function values(option) {
  const flat = (option?.options ?? []).flatMap((/** @type {any} */ entry) => entry.options ?? [entry]);
  return flat.map((/** @type {any} */ { value, name, description }) => ({
    id: value,
    name: name ?? value,
    description: description || undefined,
  }));
}

/**
 * @param {string} what
 * @param {Choice[]} offered
 */
function listed(what, offered) {
  if (offered.length === 0) return `it offers no ${what} to choose from`;
  return `its ${what} are ${offered.map(({ id }) => id).join(', ')}`;
}
