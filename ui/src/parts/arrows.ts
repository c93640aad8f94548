// Arrow keys in a list of rows: up and down, Home and End move and choose, as a click would.

/** For the element whose children are the rows; each row has a tabindex and a click handler. */
export function arrowRows(container: HTMLElement): () => void {
  function keydown(event: KeyboardEvent) {
    const row = event.target;
    if (!(row instanceof HTMLElement) || row.parentElement !== container) return;
    const rows = [...container.children].filter(
      (child): child is HTMLElement => child instanceof HTMLElement && child.hasAttribute('tabindex'),
    );
    const index = rows.indexOf(row);
    const target: Record<string, number> = {
      ArrowDown: Math.min(rows.length - 1, index + 1),
      ArrowUp: Math.max(0, index - 1),
      Home: 0,
      End: rows.length - 1,
      Enter: index,
      ' ': index,
    };
    const next = rows[target[event.key] ?? -1];
    if (!next) return;
    event.preventDefault();
    next.click();
    next.focus();
  }
  container.addEventListener('keydown', keydown);
  return () => container.removeEventListener('keydown', keydown);
}
