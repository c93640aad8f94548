// A long list whose rows have one height: which of them are in the document, and where keys lead.

/** The rows that are in the document: those near the view. They come and go `step` at a time. */
export function near(
  view: { top: number; height: number; row: number; count: number },
  margin: number,
  step = 1,
): { first: number; last: number } {
  const { top, height, row, count } = view;
  const first = Math.max(0, Math.floor(top / row / step) * step - margin);
  return { first, last: Math.min(count, first + Math.ceil(Math.max(height, row) / row) + step + 2 * margin) };
}

/** The row that a key leads to from another one, if it leads anywhere. */
export function led(key: string, index: number, count: number, page: number): number | undefined {
  const last = count - 1;
  const target: Record<string, number> = {
    ArrowDown: Math.min(last, index + 1),
    ArrowUp: Math.max(0, index - 1),
    PageDown: Math.min(last, index + Math.max(1, page)),
    PageUp: Math.max(0, index - Math.max(1, page)),
    Home: 0,
    End: last,
    Enter: index,
  };
  return last < 0 ? undefined : target[key];
}

/** Scrolls as far as it takes for a row to be in view below the head. */
export function reveal(scroller: HTMLElement, index: number, row: number, head: number): void {
  const top = index * row;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + row + head > scroller.scrollTop + scroller.clientHeight)
    scroller.scrollTop = top + row + head - scroller.clientHeight;
}
