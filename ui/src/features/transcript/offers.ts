// Is an offer still of use at this place of the transcript? One that was taken up, or stands beside another one, is not.

import type { Item } from '../../protocol/Item';

/** Rows that are looked at after or before an offer; what is farther away has been passed long ago. */
const NEAR = 30;

/** Whether the session went on after a row. */
export function isPassed(at: (row: number) => Item | undefined, length: number, row: number): boolean {
  if (length - row > NEAR) return true;
  for (let later = row + 1; later < length; later++) {
    const type = at(later)?.body.type;
    if (type === 'userMessage' || type === 'opened' || type === 'error') return true;
  }
  return false;
}

/** Whether an error, which makes an offer of its own, stands shortly before a row. */
export function followsError(at: (row: number) => Item | undefined, row: number): boolean {
  for (let before = row - 1; before >= Math.max(0, row - NEAR); before--) {
    const type = at(before)?.body.type;
    if (type === 'error') return true;
    if (type === 'userMessage') return false;
  }
  return false;
}
