// Which stretch of a list's rows can be scrolled through at one time?
//
// Web views know no element higher than some 33 million pixels: the last rows of a longer list could never be reached. A list
// of up to `MOST` rows is one stretch. Of a longer one a stretch stands in the page, which moves on when the reader comes to its edge.

/** Rows of a stretch. Each may take 80 pixels on an average before a limit is near. */
const MOST = 400_000;
/** Rows by which a stretch grows at the list's end before it begins later. */
const GROWTH = 50_000;
/** Rows from an edge at which it moves on. */
const EDGE = 50;

/** The rows from `from` up to, and without, `to`. */
export interface Stretch {
  from: number;
  to: number;
}

/** Where a stretch begins that has the list's end. */
export function beginAtEnd(length: number): number {
  return Math.max(0, length - MOST);
}

/** Where a stretch begins that has a row in its middle, if the list goes on so far. */
export function beginAround(row: number, length: number): number {
  return Math.max(0, Math.min(row - MOST / 2, beginAtEnd(length)));
}

/** The stretch that begins there. A list that shrank begins it earlier. */
export function stretch(first: number, length: number): Stretch {
  const from = Math.min(first, beginAtEnd(length));
  return { from, to: Math.min(length, from + MOST + GROWTH) };
}

/** Whether rows in view are so near to an edge, behind which the list goes on, that the stretch is to move. */
export function isAtEdge({ from, to }: Stretch, seen: Stretch, length: number): boolean {
  return (from > 0 && seen.from < from + EDGE) || (to < length && seen.to > to - EDGE);
}
