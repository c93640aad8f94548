// Which rows are marked for an act on several of them.
import type { Row } from '../../state.svelte';

/** Only servers that the cloud knows can be marked: for one that is still being made nothing can be asked. */
const canBe = (row: Row): boolean => row.server !== null;

export class Marks {
  keys = $state.raw<ReadonlySet<string>>(new Set());
  #anchor: string | null = null;

  has(key: string): boolean {
    return this.keys.has(key);
  }

  toggle(row: Row): void {
    if (!canBe(row)) return;
    const keys = new Set(this.keys);
    if (!keys.delete(row.key)) keys.add(row.key);
    this.keys = keys;
    this.#anchor = row.key;
  }

  /** Marks all from the row that was touched last to this one. */
  through(rows: readonly Row[], row: Row): void {
    const to = rows.findIndex(({ key }) => key === row.key);
    const from = rows.findIndex(({ key }) => key === this.#anchor);
    if (from < 0) return this.toggle(row);
    const between = rows.slice(Math.min(from, to), Math.max(from, to) + 1).filter(canBe);
    this.keys = new Set([...this.keys, ...between.map(({ key }) => key)]);
  }

  /** The row from which {@link through} counts, where nothing was marked yet. */
  startAt(row: Row): void {
    this.#anchor = row.key;
  }

  all(rows: readonly Row[]): void {
    this.keys = new Set(rows.filter(canBe).map(({ key }) => key));
  }

  clear(): void {
    this.keys = new Set();
    this.#anchor = null;
  }
}
