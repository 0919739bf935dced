// How is the value of a setting written for people?

import type { JsonValue } from '../../protocol/serde_json/JsonValue';
import type { Setting } from '../../protocol/Setting';

/** `on`, `30 seconds`, `As the system`, `none`. */
export function valueWords({ kind }: Setting, value: JsonValue): string {
  if (value === '') return 'none';
  switch (kind.type) {
    case 'flag':
      return value === true ? 'on' : 'off';
    case 'number':
      return `${String(value)} ${kind.unit}`;
    case 'choice':
      return kind.values.find((choice) => choice.value === value)?.label ?? String(value);
    case 'time':
    case 'path':
      return String(value);
  }
}
