// Which fields does a tool's JSON Schema ask for, and what arguments do they make? Pure.
//
// Text, numbers, yes or no, and choices have fields of their own; what is made of parts is written as JSON. The sidecar checks what
// it gets; here only what would be sent wrongly for sure is held back.

import type { JsonValue } from '../../protocol/serde_json/JsonValue';

type Schema = { readonly [key: string]: unknown };

/** A field of the form. All values are held as text; an empty one is not sent. */
export interface Field {
  name: string;
  /** What it is for. */
  about: string;
  isRequired: boolean;
  kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';
  /** For a choice: what can be chosen, known by its place. */
  choices: JsonValue[];
  /** What stands in it at first. */
  initial: string;
  minimum: number | null;
  maximum: number | null;
}

/** The arguments, or what is wrong by the name of the field. */
export type Filled =
  { ok: true; arguments: Record<string, JsonValue> } | { ok: false; problems: Record<string, string> };

/** Fields of one form; a tool with more is called with JSON. */
const MOST = 60;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of a schema; null when it names none, or too many, so that its arguments are written as JSON. */
export function fieldsOf(schema: Schema): Field[] | null {
  const { properties } = schema;
  if (!isSchema(properties)) return null;
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const names = Object.keys(properties);
  if (names.length > MOST) return null;
  const fields = names.map((name) => fieldOf(name, properties[name], required.has(name), schema));
  return fields.toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired));
}

function fieldOf(name: string, given: unknown, isRequired: boolean, root: Schema): Field {
  const outer = isSchema(given) ? given : {};
  const schema = settled(outer, root);
  const about = [outer.description, schema.description].find((text) => typeof text === 'string') ?? '';
  const choices = choicesOf(schema);
  const kind = choices === null ? kindOf(schema) : 'choice';
  const standard = (outer.default ?? schema.default ?? null) as JsonValue;
  return {
    name,
    about: String(about),
    isRequired,
    kind,
    choices: choices ?? [],
    initial: standard === null ? '' : shownAs(standard, kind, choices ?? []),
    minimum: typeof schema.minimum === 'number' ? schema.minimum : null,
    maximum: typeof schema.maximum === 'number' ? schema.maximum : null,
  };
}

/** What a schema says once references within it are followed and "or null" is left out. */
function settled(schema: Schema, root: Schema, depth = 0): Schema {
  if (depth > 8) return {};
  if (typeof schema.$ref === 'string') {
    const target = referred(schema.$ref, root);
    return target === null ? {} : settled(target, root, depth + 1);
  }
  const either = [schema.anyOf, schema.oneOf].find(Array.isArray) as unknown[] | undefined;
  const real = either?.filter((one) => isSchema(one) && one.type !== 'null');
  if (real?.length === 1 && isSchema(real[0]))
    return settled({ ...schema, ...real[0], anyOf: 0, oneOf: 0 }, root, depth + 1);
  return schema;
}

function referred(reference: string, root: Schema): Schema | null {
  if (!reference.startsWith('#/')) return null;
  let at: unknown = root;
  for (const part of reference.slice(2).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    at = isSchema(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return isSchema(at) ? at : null;
}

function choicesOf(schema: Schema): JsonValue[] | null {
  if ('const' in schema) return [schema.const as JsonValue];
  return Array.isArray(schema.enum) && schema.enum.length > 0 ? (schema.enum as JsonValue[]) : null;
}

function kindOf(schema: Schema): Field['kind'] {
  const named = Array.isArray(schema.type) ? schema.type.filter((type) => type !== 'null') : [schema.type];
  const [type] = named;
  if (named.length !== 1) return 'json';
  switch (type) {
    case 'string':
      return 'text';
    case 'number':
    case 'integer':
    case 'boolean':
      return type;
    default:
      return 'json';
  }
}

function shownAs(value: JsonValue, kind: Field['kind'], choices: JsonValue[]): string {
  if (kind === 'choice') {
    const place = choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value));
    return place < 0 ? '' : String(place);
  }
  if (kind === 'text' && typeof value === 'string') return value;
  return JSON.stringify(value);
}

/** What stands in the fields at first. */
export function initialValues(fields: Field[]): Record<string, string> {
  return Object.fromEntries(fields.map(({ name, initial }) => [name, initial]));
}

/** The arguments that these values make. */
export function filled(fields: Field[], values: Record<string, string>): Filled {
  const given: Record<string, JsonValue> = {};
  const problems: Record<string, string> = {};
  for (const field of fields) {
    const text = values[field.name] ?? '';
    const isEmpty = field.kind === 'text' ? text === '' : text.trim() === '';
    if (isEmpty) {
      if (field.isRequired) define(problems, field.name, field.kind === 'choice' ? 'Choose one' : 'Needed');
      continue;
    }
    const value = valueOf(field, text);
    if (value.ok) define(given, field.name, value.value);
    else define(problems, field.name, value.why);
  }
  return Object.keys(problems).length > 0 ? { ok: false, problems } : { ok: true, arguments: given };
}

/** As a property of its own, whatever it is called. */
function define<T>(object: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

type Value = { ok: true; value: JsonValue } | { ok: false; why: string };

function valueOf({ kind, choices, minimum, maximum }: Field, text: string): Value {
  switch (kind) {
    case 'text':
      return { ok: true, value: text };
    case 'boolean':
      return { ok: true, value: text === 'true' };
    case 'choice': {
      const value = choices[Number(text)];
      return value === undefined ? { ok: false, why: 'Choose one' } : { ok: true, value };
    }
    case 'json':
      return parsed(text);
    case 'number':
    case 'integer': {
      const value = Number(text);
      if (!Number.isFinite(value)) return { ok: false, why: 'Not a number' };
      if (kind === 'integer' && !Number.isInteger(value)) return { ok: false, why: 'Not a whole number' };
      if (minimum !== null && value < minimum) return { ok: false, why: `At least ${minimum}` };
      if (maximum !== null && value > maximum) return { ok: false, why: `At most ${maximum}` };
      return { ok: true, value };
    }
  }
}

function parsed(text: string): Value {
  try {
    return { ok: true, value: JSON.parse(text) as JsonValue };
  } catch (error) {
    return { ok: false, why: `Not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Arguments that are written as one JSON object; nothing means none. */
export function writtenArguments(text: string): Filled {
  if (text.trim() === '') return { ok: true, arguments: {} };
  const value = parsed(text);
  if (!value.ok) return { ok: false, problems: { '': value.why } };
  if (typeof value.value !== 'object' || value.value === null || Array.isArray(value.value))
    return { ok: false, problems: { '': 'Arguments are a JSON object, such as {"path": "src"}' } };
  return { ok: true, arguments: value.value as Record<string, JsonValue> };
}

/** A choice as people read it. */
export function choiceWords(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
