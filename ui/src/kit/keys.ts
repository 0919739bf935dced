// Which key press is meant by `Mod+K`, and how is it written for people? `Mod` is Ctrl, and ⌘ on macOS.
//
// Letters with Alt are known by their key's place, because Alt makes other characters of them on macOS.

const onMac = typeof navigator !== 'undefined' && navigator.platform.startsWith('Mac');

const SHOWN: Record<string, string> = {
  Mod: onMac ? '⌘' : 'Ctrl',
  Alt: onMac ? '⌥' : 'Alt',
  Shift: onMac ? '⇧' : 'Shift',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
};

/** Whether a key press is the one that `keys` names. */
export function isPressed(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split('+');
  const key = parts.pop() ?? '';
  const mod = onMac ? event.metaKey : event.ctrlKey || event.metaKey;
  const modifiersMatch =
    mod === parts.includes('Mod') &&
    event.altKey === parts.includes('Alt') &&
    event.shiftKey === parts.includes('Shift');
  if (!modifiersMatch) return false;
  if (parts.includes('Alt') && /^[A-Z]$/.test(key)) return event.code === `Key${key}`;
  return event.key.toLowerCase() === key.toLowerCase();
}

/** The keys as people read them, one by one: `Ctrl`, `K`. */
export function shownKeys(keys: string): string[] {
  return keys.split('+').map((key) => SHOWN[key] ?? key);
}

/** The keys as assistive technology reads them, for `aria-keyshortcuts`. */
export function ariaKeys(keys: string): string {
  return keys.replace('Mod', onMac ? 'Meta' : 'Control');
}
