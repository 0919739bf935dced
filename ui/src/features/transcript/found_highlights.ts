// How are found words shown in rows that are on the screen? As highlights over the text, which change nothing of the rows themselves.
//
// The rows of every pane share the two highlights of the page (`found` and `found-here`), so each pane hands in its own ranges.

const panes = new Map<object, { found: Range[]; here: Range[] }>();

/** Marks the words in the rows below an element; `here` is the row that was gone to. Nothing where the engine has no highlights. */
export function highlight(owner: object, below: Element, words: string, here: Element | null): void {
  const found: Range[] = [];
  const inside: Range[] = [];
  const wanted = words.toLowerCase();
  if (wanted.trim() !== '')
    for (const row of below.querySelectorAll('[data-testid=item]'))
      (row === here ? inside : found).push(...rangesIn(row, wanted));
  panes.set(owner, { found, here: inside });
  draw();
}

/** Takes the marks of a pane away. */
export function unhighlight(owner: object): void {
  if (panes.delete(owner)) draw();
}

/** The first place of the words in a row. */
export function firstRange(row: Element, words: string): Range | undefined {
  return words.trim() === '' ? undefined : rangesIn(row, words.toLowerCase())[0];
}

function draw(): void {
  if (!('highlights' in CSS)) return;
  const all = [...panes.values()];
  CSS.highlights.set('found', new Highlight(...all.flatMap(({ found }) => found)));
  CSS.highlights.set('found-here', new Highlight(...all.flatMap(({ here }) => here)));
}

/** Words may go over the borders of elements: coloured code is one element for each colour. */
function rangesIn(row: Element, wanted: string): Range[] {
  const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
  const pieces: { node: Text; from: number }[] = [];
  let text = '';
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    pieces.push({ node, from: text.length });
    text += node.data;
  }
  const ranges: Range[] = [];
  const lower = text.toLowerCase();
  // A letter whose small form is longer would move all that follows; such a row is not marked.
  if (lower.length !== text.length) return ranges;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
    const range = new Range();
    const begin = pieceAt(pieces, at);
    const end = pieceAt(pieces, at + wanted.length - 1);
    if (!begin || !end) continue;
    range.setStart(begin.node, at - begin.from);
    range.setEnd(end.node, at + wanted.length - end.from);
    ranges.push(range);
  }
  return ranges;
}

function pieceAt(pieces: { node: Text; from: number }[], at: number) {
  return pieces.findLast(({ from }) => from <= at);
}
