// How is a form of an MCP server (an elicitation) put to a person as questions, and what do the words of the answer fill in?
//
// One question for each field, answered as questions.mjs says: one line each. A field that is left empty takes its default, or
// stays out; what does not fit is asked again by the one who asked.

import { chosen, questionOptions, questionTitle } from './questions.mjs';

/**
 * What an MCP server asks for, in the words of its protocol.
 * @typedef {object} Elicitation
 * @property {string} server its name
 * @property {string} message
 * @property {Record<string, any> | null} [schema] of the form: an object whose properties are texts, numbers, booleans or choices
 * @property {string[]} [order] of its properties, where the CLI tells it
 * @property {string | null} [url] a page that is to be visited instead
 */
/** @typedef {{ action: 'accept' | 'decline', content?: Record<string, unknown> }} Elicited */
/** @typedef {{ name: string, label: string, schema: Record<string, any>, required: boolean, choices: Choice[] }} Field */
/** @typedef {{ label: string, value: unknown }} Choice */

/** One form that waits for its answer. */
export class Form {
  #about;
  /** @type {Field[]} */ #fields;

  /** @param {Elicitation} about */
  constructor(about) {
    this.#about = about;
    this.#fields = about.url ? [] : fieldsOf(about.schema ?? {}, about.order);
  }

  /**
   * What a person is asked.
   * @param {string} requestId
   * @param {string} [problem] with the answer that was given before
   * @returns {import('./pending_permissions.mjs').PermissionAsk}
   */
  ask(requestId, problem) {
    const { server, message, url, schema } = this.#about;
    const asked = this.#fields.length > 0 ? ` — ${questionTitle(this.#questions)}` : '';
    const page = url ? ` — open ${url}` : '';
    const title = `${problem ? `${problem}. ` : ''}${server}: ${message}${asked}${page}`.replaceAll(/\s*\n\s*/g, ' ');
    const input = url ? { server, message, url } : { server, message, fields: schema?.properties ?? {} };
    return { requestId, toolName: 'elicitation', title, kind: 'other', input, options: questionOptions() };
  }

  /**
   * @param {Record<string, any>} answer the host's `permissionResponse`
   * @returns {Elicited | { problem: string }}
   */
  answered({ outcome, message, updatedInput }) {
    if (outcome !== 'allow' && outcome !== 'allowAlways') return { action: 'decline' };
    if (this.#about.url) return { action: 'accept' };
    if (updatedInput?.content) return { action: 'accept', content: updatedInput.content };
    /** @type {Record<string, unknown>} */
    const content = {};
    for (const [at, words] of chosen(this.#questions, message).entries()) {
      const filled = valueOf(this.#fields[at], words);
      if ('problem' in filled) return { problem: `${this.#fields[at].label} ${filled.problem}` };
      if (filled.value !== undefined) content[this.#fields[at].name] = filled.value;
    }
    return { action: 'accept', content };
  }

  /** @returns {import('./questions.mjs').Question[]} */
  get #questions() {
    return this.#fields.map(({ label, schema, required, choices }) => ({
      text: `${label}${required ? '' : ' (may be left empty)'}`,
      choices: choices.map((choice) => choice.label),
      several: schema.type === 'array',
    }));
  }
}

/**
 * @param {Record<string, any>} schema
 * @param {string[]} [order]
 * @returns {Field[]}
 */
function fieldsOf({ properties = {}, required = [] }, order = Object.keys(properties)) {
  const names = order.filter((name) => Object.hasOwn(properties, name));
  return names.map((name) => ({
    name,
    label: String(properties[name].title ?? properties[name].description ?? name),
    schema: properties[name],
    required: required.includes(name) && properties[name].default === undefined,
    choices: choicesOf(properties[name]),
  }));
}

/**
 * @param {Record<string, any>} schema of one field
 * @returns {Choice[]} empty when it is filled in freely
 */
function choicesOf(schema) {
  if (schema.type === 'boolean') {
    return [
      { label: 'Yes', value: true },
      { label: 'No', value: false },
    ];
  }
  const of = schema.type === 'array' ? (schema.items ?? {}) : schema;
  const titled = of.oneOf ?? of.anyOf;
  if (Array.isArray(titled)) return titled.map((one) => ({ label: String(one.title ?? one.const), value: one.const }));
  const names = of.enumNames ?? [];
  return (of.enum ?? []).map((/** @type {unknown} */ value, /** @type {number} */ at) => ({
    label: String(names[at] ?? value),
    value,
  }));
}

/**
 * @param {Field} field
 * @param {string[]} words
 * @returns {{ value: unknown } | { problem: string }} no value where it is left out
 */
function valueOf({ schema, required, choices }, words) {
  if (words.length === 0) return required ? { problem: 'is missing' } : { value: schema.default };
  if (choices.length > 0) {
    const values = words.map((word) => choices.find(({ label, value }) => label === word || String(value) === word));
    if (values.includes(undefined)) return { problem: `is none of ${choices.map(({ label }) => label).join(', ')}` };
    const chosenOnes = values.map((choice) => choice?.value);
    return { value: schema.type === 'array' ? chosenOnes : chosenOnes[0] };
  }
  return schema.type === 'number' || schema.type === 'integer' ? numberOf(schema, words[0]) : { value: words[0] };
}

/**
 * @param {Record<string, any>} schema
 * @param {string} word
 * @returns {{ value: number } | { problem: string }}
 */
function numberOf({ type, minimum = -Infinity, maximum = Infinity }, word) {
  const value = Number(word);
  if (Number.isNaN(value)) return { problem: 'is no number' };
  if (type === 'integer' && !Number.isInteger(value)) return { problem: 'is no whole number' };
  if (value < minimum) return { problem: `is less than ${minimum}` };
  return value > maximum ? { problem: `is more than ${maximum}` } : { value };
}
